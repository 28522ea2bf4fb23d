"""How many steps a second Keras makes by train_on_batch: train.py SECONDS CASE, a case as JSON. Prints the number."""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import numpy as np

from network import build

STEPS_PER_SWEEP = 64


def main():
    seconds, case = float(sys.argv[1]), json.loads(sys.argv[2])
    size, shape = case["minibatchSize"], case["spec"]["inputShape"]
    num_rows = STEPS_PER_SWEEP * size
    cells = np.sin(np.arange(num_rows * int(np.prod(shape)))).astype(np.float32)
    features = cells.reshape([num_rows, *shape])
    targets = (np.arange(num_rows) % case["numClasses"]).astype(np.float32)
    model = build(case["spec"])
    # Compiled by XLA where Keras finds that it can be.
    model.compile(optimizer=case["optimizer"], loss="sparse_categorical_crossentropy")

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
