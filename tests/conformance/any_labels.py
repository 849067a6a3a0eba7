"""Training on random labels, which must not make a NaN."""

import hypothesis
import hypothesis.extra.numpy
import numpy as np

from tests import toy

STEPS = 10
# Labels of four images in each step, and the void pixels of all.
PATTERNS = hypothesis.extra.numpy.arrays(
    "float32",
    (STEPS, 4, 4),
    elements=hypothesis.strategies.sampled_from([0.0, 0.5, 1.0]),
    fill=hypothesis.strategies.nothing(),
)
VOIDS = hypothesis.extra.numpy.arrays("bool", toy.SIZE)


def train_on_any_labels(model, views=3, max_examples=4):
    """Trains without labels, with all of them void, and at random."""
    none = np.zeros((STEPS, 4, 4), "float32")

    # Always of the same shapes: nothing is traced again.
    @hypothesis.settings(max_examples=max_examples, deadline=None)
    @hypothesis.example(none, np.zeros(toy.SIZE, bool))
    @hypothesis.example(none + 1.0, np.ones(toy.SIZE, bool))
    @hypothesis.given(PATTERNS, VOIDS)
    def train(patterns, void):
        batch = toy.make_batch(np.concatenate(patterns), views, void)
        data = toy.make_dataset(batch, size=4)
        # Means over the steps: one that is not finite is seen.
        logs = model.fit(data, verbose=0).history
        weights = {v.path: v.numpy() for v in model.variables}
        for name, values in (logs | weights).items():
            assert np.isfinite(values).all(), name

    train()
