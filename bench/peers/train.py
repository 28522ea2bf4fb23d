"""How many steps a second Keras makes by train_on_batch: train.py SECONDS CASE, a case as JSON. Prints the number."""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
import numpy as np

STEPS_PER_SWEEP = 64


def build(case):
    spec = case["spec"]
    model = keras.Sequential([keras.Input(spec["inputShape"])])
    for layer in spec["layers"]:
        kind, activation = layer["type"], layer.get("activation")
        if kind == "dense":
            model.add(keras.layers.Dense(layer["units"], activation=activation))
        elif kind == "conv2d":
            model.add(keras.layers.Conv2D(layer["filters"], layer["kernelSize"], activation=activation))
        elif kind == "maxPooling2d":
            model.add(keras.layers.MaxPooling2D(layer["poolSize"]))
        elif kind == "flatten":
            model.add(keras.layers.Flatten())
        else:
            sys.exit(f"{kind} is not known here.")
    # Compiled by XLA where Keras finds that it can be.
    model.compile(optimizer=case["optimizer"], loss="sparse_categorical_crossentropy")
    return model


def main():
    seconds, case = float(sys.argv[1]), json.loads(sys.argv[2])
    size, shape = case["minibatchSize"], case["spec"]["inputShape"]
    num_rows = STEPS_PER_SWEEP * size
    cells = np.sin(np.arange(num_rows * int(np.prod(shape)))).astype(np.float32)
    features = cells.reshape([num_rows, *shape])
    targets = (np.arange(num_rows) % case["numClasses"]).astype(np.float32)
    model = build(case)

    def sweep():
        for start in range(0, num_rows, size):
            model.train_on_batch(features[start : start + size], targets[start : start + size])

    sweep()
    started_at, sweeps = time.perf_counter(), 0
    while time.perf_counter() - started_at < seconds:
        sweep()
        sweeps += 1
    print(sweeps * STEPS_PER_SWEEP / (time.perf_counter() - started_at))


main()
