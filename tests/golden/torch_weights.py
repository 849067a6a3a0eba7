"""From the reference's torch weights to the Keras networks."""


def sizes(state):
    """Widths and numbers of convolutions of the levels, from the weights."""
    names = {key.rsplit(".", 2)[0] for key in state}
    widths, num_convs = [], []
    while f"encoder_block.{len(widths)}" in names:
        level = len(widths)
        rest = f"conv_block_enc.{level}"
        widths.append(len(state[f"encoder_block.{level}.0.bias"]))
        num_convs.append(
            1 + sum((n + ".").startswith(rest + ".") for n in names)
        )
    return widths, num_convs


def variables(network, heads, state):
    """Every trained variable of a Keras network by its torch name.

    Args:
        network: What has the attributes `encoder` and `decoder`.
        heads: Dict of `DenseHead` by torch name.
        state: The torch `state_dict`.
    """
    _, num_convs = sizes(state)
    found = {}
    for half, network_half, levels in (
        ("enc", network.encoder, range(len(num_convs))),
        ("dec", network.decoder, reversed(range(len(num_convs)))),
    ):
        blocks = iter(network_half.blocks)
        for level in levels:
            for name in unit_names(half, level, num_convs[level]):
                block = next(blocks)
                found[f"{name}.0.weight"] = block.conv.kernel
                found[f"{name}.0.bias"] = block.conv.bias
                found[f"{name}.1.weight"] = block.norm.gamma
                found[f"{name}.1.bias"] = block.norm.beta
    for name, head in heads.items():
        for index, conv in enumerate((head.conv, head.projection)):
            found[f"{name}.{index}.weight"] = conv.kernel
            found[f"{name}.{index}.bias"] = conv.bias
    return found


def unit_names(half, level, num_convs):
    """Torch names of a level's convolutions, in order."""
    rest = f"conv_block_{half}.{level}"
    if num_convs == 2:
        return [f"{half}oder_block.{level}", rest]
    return [
        f"{half}oder_block.{level}",
        *(f"{rest}.{index}" for index in range(num_convs - 1)),
    ]


def load(found, state):
    """Gives the variables the torch values."""
    for name, variable in found.items():
        variable.assign(keras_layout(state[name]))


def keras_layout(array):
    """`(out, in, height, width)` to `(height, width, in, out)`."""
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
