"""Where the authors' code and its paper's idea part ways."""

import dataclasses
from collections.abc import Mapping

import keras

from jtr_keras.config import Configurable


@keras.saving.register_keras_serializable(package="jtr_keras")
@dataclasses.dataclass(frozen=True)
class Semantics(Configurable):
    """The oddities of the reference code, each a choice of its own.

    All False is `"corrected"`, all True is `"reference"`, which reproduces the
    authors' losses and gradients. The numbers are those of the table in the
    documentation (`docs/jtr_code.md`).

    Args:
        hard_samples: Predictions of sampled tasks enter the stacks as
            straight-through Gumbel samples, not as probabilities, except
            those of the second view's predictions (Q4).
        new_draws: Every use of a sample has noise of its own, so that copies of
            one prediction differ, and the autoencoder is asked to reconstruct
            what it has not seen (Q3, Q5).
        encode_twice: The autoencoder reconstructs codes of codes for the stack
            of predictions (Q6, Q7).
        count_nonzeros: Reconstruction errors are divided by how many elements
            of the target are not 0, instead of by the compared pixels (Q8,
            Q9).
        separate_masks: Labels keep all of their annotated pixels where
            predictions keep those annotated for every labelled task (Q10).
        target_gradients: An unlabelled prediction in the stack of targets
            receives gradients too (Q2).
    """

    hard_samples: bool = False
    new_draws: bool = False
    encode_twice: bool = False
    count_nonzeros: bool = False
    separate_masks: bool = False
    target_gradients: bool = False


CORRECTED = Semantics()
REFERENCE = Semantics(**{f.name: True for f in dataclasses.fields(Semantics)})

SEMANTICS = {"corrected": CORRECTED, "reference": REFERENCE}


def get_semantics(choice: str | Semantics | Mapping[str, bool]) -> Semantics:
    """The semantics of a name, or with these oddities.

    Raises:
        ValueError: If the name or an oddity is unknown.
    """
    if isinstance(choice, Semantics):
        return choice
    if isinstance(choice, Mapping):
        known = [field.name for field in dataclasses.fields(Semantics)]
        unknown = sorted(set(choice) - set(known))
        if unknown:
            raise ValueError(
                f"`semantics` must be choices of {known}; got {unknown}."
            )
        return Semantics(**choice)
    if choice not in SEMANTICS:
        raise ValueError(
            f"`semantics` must be one of {sorted(SEMANTICS)} or a "
            f"`Semantics`; got {choice!r}."
        )
    return SEMANTICS[choice]
