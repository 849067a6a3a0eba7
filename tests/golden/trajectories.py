"""Steps of every method, whose losses a test compares with recorded ones.

    python -m tests.golden.trajectories [FILE]

trains each method for 30 steps and writes its losses to FILE; the file beside
this module was written so at commit 04bd521, with its names of that time
changed, and before anything else was. In float64, so that neither the order of
sums nor the machine matters.
"""

import functools
import json
import pathlib
import sys

import keras

import jtr_keras as jtr
from jtr_keras import balancing, regularization

FILE = pathlib.Path(__file__).with_name("trajectories.json")
STEPS = 30
LIGHT = {"widths": (16, 32, 48, 64), "num_convs": (1, 1, 1, 1)}
METHODS = {
    "supervised": lambda: {},
    "view_consistency": lambda: _regularized(regularization.ViewConsistency()),
    "cross_task": lambda: _regularized(
        regularization.CrossTaskConsistency(seed=1)
    ),
    "pseudo_labels": lambda: _regularized(
        regularization.PseudoLabels(threshold=0.3, tolerance=0.2, warm_up=20)
    ),
    "task_prototypes": lambda: _regularized(regularization.TaskPrototypes()),
    "joint_task_reference": lambda: _regularized(
        jtr.JointTaskRegularization("reference", seed=1, **LIGHT)
    ),
    "joint_task_corrected": lambda: _regularized(
        jtr.JointTaskRegularization(seed=1)
    ),
    "label_restoration": lambda: _regularized(
        jtr.LabelRestoration(warm_up=20, seed=1)
    ),
    "composition": lambda: _regularized(
        [
            jtr.LabelRestoration(warm_up=20, seed=1),
            regularization.ViewConsistency(),
        ]
    ),
    "fixed": lambda: _balanced(balancing.FixedWeights({"depth": 0.5})),
    "uncertainty": lambda: _balanced(balancing.UncertaintyWeights()),
    "dynamic_average": lambda: _balanced(
        balancing.DynamicWeightAverage(period=10)
    ),
    "random": lambda: _balanced(balancing.RandomLossWeighting(seed=1)),
    "geometric": lambda: _balanced(balancing.GeometricLoss()),
    "compensated": lambda: _balanced(
        balancing.FixedWeights(compensate_label_rate=True)
    ),
}
"""What each method adds to the arguments of a model."""


def _regularized(value):
    return {"regularization": value}


def _balanced(value):
    return {"balancing": value}


def make_tasks():
    return [
        jtr.tasks.SemanticSegmentation(13),
        jtr.tasks.Depth(mean=2.65, stddev=0.86),
        jtr.tasks.SurfaceNormals(),
    ]


@functools.cache
def make_batches(steps):
    """The same for all methods."""
    data = jtr.data.rooms(
        "train[:128]",
        make_tasks(),
        labels="randomlabels",
        num_views=3,
        batch_size=4,
        seed=0,
    )
    return [
        keras.tree.map_structure(keras.ops.convert_to_numpy, batch)
        for batch in data.take(steps)
    ]


def trajectory(
    method,
    steps=STEPS,
    widths=(8, 16),
    head_filters=8,
    floatx="float64",
    run_eagerly=False,
):
    """Losses of each step, a dict each.

    Args:
        method: A key of `METHODS`.
        steps: How many steps.
        widths: Of the U-Net.
        head_filters: Of the heads.
        floatx: In which precision.
        run_eagerly: Whether without a graph, which is quicker for few steps.
    """
    before = keras.config.floatx()
    keras.config.set_floatx(floatx)
    try:
        keras.utils.set_random_seed(0)
        model = jtr.MultiTaskModel(
            jtr.models.UNet(widths, stem_strides=4),
            make_tasks(),
            head_filters=head_filters,
            supervised_views=2,
            **METHODS[method](),
        )
        model.compile(
            keras.optimizers.Adam(3e-3),
            jit_compile=False,
            run_eagerly=run_eagerly,
        )
        losses = []
        for batch in make_batches(steps):
            model.reset_metrics()
            logs = model.train_on_batch(*batch, return_dict=True)
            losses.append({name: float(value) for name, value in logs.items()})
        return losses
    finally:
        keras.config.set_floatx(before)


def main(path=FILE):
    found = {}
    for method in METHODS:
        found[method] = trajectory(method)
        print(method, found[method][-1], flush=True)
    compact = json.dumps(found, separators=(",", ":"))
    pathlib.Path(path).write_text(compact + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
