"""Latency and throughput of an exported network against the bare one.

Usage: python -m benchmarks.serving [ROUNDS]

Runs the Keras network (compiled by `tf.function`), its SavedModel in
TensorFlow, its ONNX file in ONNX Runtime, and its SavedModel folder in
OpenVINO, on 96x128 images in batches of 1 and 8, one after another in each
round, so that a busy machine slows all of them. All use every core. The last
line is one JSON object; `median_s` is that of the SavedModel at batch 1.
"""

import json
import pathlib
import resource
import sys
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

import jtr_keras as jtr
from jtr_keras.export.runtimes import compare, run_saved_model

SIZE = (96, 128)
BATCHES = (1, 8)


def contenders(folder, widths):
    """From names to functions from images to predictions."""
    keras.utils.set_random_seed(0)
    tasks = jtr.data.DATASETS["rooms"].make_tasks()
    model = jtr.MultiTaskModel(
        jtr.models.UNet(widths=widths), tasks, head_filters=16
    )
    saved = model.export(folder / "rooms", image_size=SIZE)
    onnx = model.export(folder / "rooms.onnx", "onnx", SIZE)
    network = tf.function(
        lambda images: model.predictor(images, training=False),
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)],
    )
    formats = jtr.export.FORMATS
    return {
        "keras": lambda images: {
            k: v.numpy() for k, v in network(images).items()
        },
        "saved_model": run_saved_model(saved),
        "onnx": formats["onnx"].run(onnx),
        "openvino": formats["openvino"].run(saved),
    }


def measure(runs, rounds):
    """Median seconds by name and batch size."""
    times = {name: {batch: [] for batch in BATCHES} for name in runs}
    rng = np.random.default_rng(0)
    for batch in BATCHES:
        images = rng.uniform(size=(batch, *SIZE, 3)).astype("float32")
        expected = runs["keras"](images)
        for run in runs.values():  # Also warms up.
            assert max(compare(expected, run(images)).values()) < 1e-3
        for _ in range(rounds):
            for name, run in runs.items():
                start = time.perf_counter()
                run(images)
                times[name][batch].append(time.perf_counter() - start)
    return {
        name: {batch: float(np.median(t)) for batch, t in of.items()}
        for name, of in times.items()
    }


def main(rounds=30, widths=(16, 32, 64, 128, 128)):
    with tempfile.TemporaryDirectory() as folder:
        runs = contenders(pathlib.Path(folder), widths)
        medians = measure(runs, int(rounds))
    result = {}
    print(f"{'':<12}{'batch':>6}{'ms':>9}{'images/s':>10}{'x keras':>9}")
    for name, of in medians.items():
        for batch, median in of.items():
            rate, ratio = batch / median, median / medians["keras"][batch]
            print(
                f"{name:<12}{batch:>6}{1e3 * median:>9.1f}{rate:>10.1f}"
                f"{ratio:>9.2f}"
            )
            result[f"{name}_batch_{batch}"] = {
                "median_s": round(median, 5),
                "images_per_s": round(rate, 1),
                "times_keras": round(ratio, 3),
            }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result["median_s"] = round(medians["saved_model"][1], 5)
    result["peak_mib"] = round(peak, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
