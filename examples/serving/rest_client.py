"""Sends a photograph to a model server by REST and draws the answer.

Usage: python examples/serving/rest_client.py MODEL PHOTO OUTPUT [ADDRESS]

MODEL is the served folder, such as savedmodels/rooms, and its name is that of
the model; ADDRESS is localhost:8501 unless given.
"""

import base64
import json
import pathlib
import sys
import urllib.error
import urllib.request

import drawing
import numpy as np

import jtr_keras as jtr


def main(model, photo, output, address="localhost:8501"):
    content = pathlib.Path(photo).read_bytes()
    image = {"image_bytes": {"b64": base64.b64encode(content).decode()}}
    # Not `classes_bytes`: the server writes no uint16 as JSON.
    body = {"signature_name": "serve_bytes", "instances": [image]}
    name = pathlib.Path(model).name
    try:
        with urllib.request.urlopen(
            f"http://{address}/v1/models/{name}:predict",
            json.dumps(body).encode(),
            timeout=60,
        ) as response:
            answer = json.load(response)["predictions"][0]
    except urllib.error.HTTPError as error:
        sys.exit(f"The server refuses: {error.read().decode()}")
    predictions = {k: np.asarray(v)[None] for k, v in answer.items()}
    tasks = jtr.export.load_tasks(model)
    drawing.draw(tasks, content, predictions=predictions).save(output)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
