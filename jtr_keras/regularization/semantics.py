"""Where the authors' code and its paper's idea part ways."""

import dataclasses

import keras

from jtr_keras.types import Config


@keras.saving.register_keras_serializable(package="jtr_keras")
@dataclasses.dataclass(frozen=True)
class Semantics:
    """The oddities of the reference code, each a choice of its own.

    All False is `"corrected"`, all True is `"reference"`, which reproduces the
    authors' losses and gradients. The numbers are those of the table in the
    documentation (`docs/jtr.md`).

    Args:
        hard_samples: Predictions of sampled tasks enter the stacks as
            straight-through Gumbel samples, not as probabilities, except
            those of the second view's predictions (Q4).
        new_draws: Every use of a sample draws new noise, so that copies of
            one prediction differ, and the autoencoder is asked to restore
            what it has not seen (Q3, Q5).
        encode_twice: The autoencoder restores codes of codes for the stack of
            predictions (Q6, Q7).
        count_nonzeros: Reconstruction errors are divided by how many elements
            of the target are not 0, instead of by the compared pixels (Q8,
            Q9).
        separate_masks: Labels keep all of their annotated pixels where
            predictions keep those annotated for every labelled task (Q10).
        moving_targets: An unlabelled prediction in the stack of targets
            receives gradients too (Q2).
    """

    hard_samples: bool = False
    new_draws: bool = False
    encode_twice: bool = False
    count_nonzeros: bool = False
    separate_masks: bool = False
    moving_targets: bool = False

    def get_config(self) -> Config:
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: Config) -> "Semantics":
        return cls(**config)


CORRECTED = Semantics()
REFERENCE = Semantics(**{f.name: True for f in dataclasses.fields(Semantics)})
