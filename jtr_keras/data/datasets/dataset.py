"""What the library knows of a data set that has a name."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from jtr_keras.data.augmentation.augmentation import Augmentation
from jtr_keras.data.labels.label_settings import AVAILABLE
from jtr_keras.data.pipeline import pipeline
from jtr_keras.data.sources.source import Source, SourceSlice, parse_split
from jtr_keras.tasks.semantic_segmentation import SemanticSegmentation
from jtr_keras.tasks.task import Task

Root = str | pathlib.Path


@dataclasses.dataclass(frozen=True, repr=False)
class Dataset:
    """A reader, the tasks it has annotations for, and the usual augmentation.

    Args:
        name: What messages call it.
        source: From a root folder and a split to a `Source`.
        tasks: For each annotation, what makes its task, with the arguments
            that fit this data set.
        default_tasks: Names of the tasks that are meant when none are given.
        augmentation: How views of the training split are sampled.
        labels: The label setting that `jtr train` uses if none is given.

    Example:

    >>> jtr_keras.data.DATASETS["cityscapes"]
    Dataset('cityscapes', tasks=['segmentation', 'depth'])
    """

    name: str
    source: Callable[[Root, str], Source]
    tasks: Mapping[str, Callable[..., Task]]
    default_tasks: Sequence[str]
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    labels: str = AVAILABLE

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, tasks={list(self.tasks)})"

    def make_tasks(
        self,
        names: Sequence[str] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> list[Task]:
        """The tasks of the given names.

        Args:
            names: Names of annotations; None for the default ones.
            options: For each task, arguments that replace this data set's.

        Returns:
            The tasks, in the order of the names.

        Raises:
            ValueError: If a name is unknown or an argument is wrong or missing.
        """
        names, options = names or self.default_tasks, options or {}
        for name in (*names, *options):
            if name not in self.tasks:
                raise ValueError(
                    f"There is no task {name!r} in the dataset {self.name!r}; "
                    f"there are {sorted(self.tasks)}."
                )
        return [self._make(name, options.get(name, {})) for name in names]

    def open(self, root: Root, split: str) -> Source:
        """The images and annotations of a split or of a slice of one.

        Args:
            root: Folder that holds the splits.
            split: Name of the split, such as `"val"` or `"train[:700]"`.

        Returns:
            The source.
        """
        name, begin, end = parse_split(split)
        source = self.source(root, name)
        if begin is end is None:
            return source
        return SourceSlice(source, begin, end)

    def load(
        self,
        root: Root,
        split: str,
        tasks: Sequence[Task],
        training: bool | None = None,
        **options: Any,
    ) -> tf.data.Dataset:
        """A split as batches.

        Args:
            root: Folder that holds the splits.
            split: Name of the split, or a slice such as `"train[:700]"`.
            tasks: The tasks.
            training: Whether to shuffle and augment; if not given, whether
                the split is `"train"` or a part of it.
            **options: Arguments of `jtr_keras.data.pipeline`.

        Returns:
            A dataset of `(x, y, sample_weight)`.
        """
        if training is None:
            training = parse_split(split)[0] == "train"
        if training and options.get("augmentation") is None:
            options["augmentation"] = self.augmentation
        source = self.open(root, split)
        return pipeline(source, tasks, training=training, **options)

    def _make(self, name: str, options: Mapping[str, Any]) -> Task:
        try:
            return self.tasks[name](**options)
        except (TypeError, ValueError) as error:
            # It names the argument, but not the task.
            reason = str(error).rstrip(".")
            raise ValueError(
                f"The task {name!r}: {reason}. Arguments of tasks are given in "
                "`options`, or in --task_options."
            ) from error


def segmentation_of(class_names: Sequence[str]) -> Callable[..., Task]:
    """What makes a segmentation into these classes, or into others.

    Args:
        class_names: Their names, which are left out where another
            `num_classes` is given.

    Returns:
        A function of the arguments of `SemanticSegmentation`.
    """

    def make(num_classes: int = len(class_names), **options: Any) -> Task:
        names = class_names if num_classes == len(class_names) else None
        return SemanticSegmentation(
            num_classes, **({"class_names": names} | options)
        )

    return make
