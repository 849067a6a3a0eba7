"""Trains on Rooms with one label an image, from Python.

Usage: python examples/rooms.py [EPOCHS]
"""

import sys

import keras

import jtr_keras as jtr


def main(epochs=6):
    tasks = [
        jtr.tasks.SemanticSegmentation(num_classes=13),
        jtr.tasks.Depth(mean=2.65, stddev=0.86),
        jtr.tasks.SurfaceNormals(),
    ]
    train = jtr.data.rooms("train", tasks, labels="onelabel", num_views=2)
    val = jtr.data.rooms("val", tasks)
    model = jtr.MultiTaskModel(
        jtr.models.UNet(), tasks, jtr.LabelRestoration(), head_filters=16
    )
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)  # On a CPU.
    model.fit(train, validation_data=val, epochs=epochs)
    images, *_ = batch = next(iter(val))
    table = jtr.visualization.picture(
        tasks, *batch, predictions=model.predict(images)
    )
    table.save("rooms.png")
    model.export("savedmodels/mine")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
