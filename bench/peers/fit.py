"""A run of Keras on a CSV file, by fit: fit.py CASE TRAIN.csv TEST.csv. CASE is JSON; prints what a run came to, as JSON."""

import gzip
import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
import numpy as np

from network import build

OPTIMIZERS = {"adagrad": keras.optimizers.Adagrad, "adam": keras.optimizers.Adam}


def read(path, case, classes):
    """The features as float32, and the class of each row; labels that are new get the next number in `classes`."""
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as file:
        columns = file.readline().strip().split(",")
        place = columns.index(case["label"])
        kept = [i for i, name in enumerate(columns) if name == case["label"] or name not in case["drop"]]
        class_of = {place: lambda label: classes.setdefault(label, len(classes))}
        cells = np.loadtxt(file, delimiter=",", usecols=kept, dtype=np.float32, converters=class_of)
    at = kept.index(place)
    return np.delete(cells, at, axis=1), cells[:, at].astype(np.int32)


def scaler(features, scaling):
    if scaling == "standard":
        shift, width = features.mean(axis=0), features.std(axis=0)
    else:
        shift, width = features.min(axis=0), np.ptp(features, axis=0)
    width = np.where(width == 0, 1, width)
    return lambda each: ((each - shift) / width).astype(np.float32)


class SweepTimes(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.started_at = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.started_at)


def main():
    case, train_file, test_file = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    keras.utils.set_random_seed(case["seed"])
    started_at = time.perf_counter()
    classes = {}
    features, targets = read(train_file, case, classes)
    read_seconds = time.perf_counter() - started_at
    scale = scaler(features, case["scaling"])
    features = scale(features)
    model = build(case["spec"])
    optimizer = OPTIMIZERS[case["optimizer"]["name"]](case["optimizer"]["learningRate"])
    # Compiled by XLA where Keras finds that it can be.
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    times = SweepTimes()
    model.fit(
        features, targets, batch_size=case["minibatchSize"], epochs=case["numSweeps"], verbose=0, callbacks=[times]
    )
    seconds = time.perf_counter() - started_at

    features, targets = read(test_file, case, classes)
    outputs = model.predict(scale(features), batch_size=1024, verbose=0)
    accuracy = float((outputs.argmax(axis=1) == targets).mean())
    run = {"seconds": seconds, "readSeconds": read_seconds, "sweepSeconds": times.seconds, "accuracy": accuracy}
    print(json.dumps(run))


main()
