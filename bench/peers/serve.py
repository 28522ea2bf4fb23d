"""The consumer that one would otherwise write: rows from a topic, prepared, predicted and written, at least once.

It reads the same model bundle as `millrace serve` and writes the same values. A line of JSON on standard output tells
what was done, when it gets its partitions and after each batch. It ends when its standard input does.
"""

import argparse
import io
import json
import os
import sys
import threading
import time
from operator import itemgetter
from pathlib import Path

import fastavro
import numpy as np
import orjson
import tensorflow as tf
from confluent_kafka import Consumer, KafkaException, Producer

ACTIVATIONS = {"relu": tf.nn.relu, "softmax": tf.nn.softmax, "linear": tf.identity}


def open_network(bundle: Path, model: dict):
    """The dense layers of the bundle as one compiled function from float32 rows to float32 outputs."""
    numbers = np.fromfile(bundle / "weights.bin", dtype="<f4")
    tensors, start = [], 0
    for weight in model["weights"]:
        end = start + int(np.prod(weight["shape"]))
        tensors.append(tf.constant(numbers[start:end].reshape(weight["shape"])))
        start = end
    layers = model["spec"]["layers"]

    @tf.function(input_signature=[tf.TensorSpec([None, *model["spec"]["inputShape"]], tf.float32)])
    def predict(rows):
        for place, layer in enumerate(layers):
            kernel, bias = tensors[2 * place : 2 * place + 2]
            rows = ACTIVATIONS[layer.get("activation", "linear")](rows @ kernel + bias)
        return rows

    return predict


def open_preparation(pipeline: dict):
    """What `Imputer` and `Standard` of the bundle do, for all columns at once."""
    steps = []
    for transformer in pipeline["transformers"]:
        state = transformer["state"]
        means = np.array(state["means"], dtype=np.float32)
        if transformer["type"] == "Imputer":
            steps.append(fill(transformer["options"]["missing"], means))
        elif transformer["type"] == "Standard":
            deviations = np.sqrt(np.array(state["m2"]) / np.array(state["counts"]))
            deviations[deviations == 0] = 1
            steps.append(standardize(means, deviations.astype(np.float32)))
        else:
            sys.exit(f"{transformer['type']} is not known here.")

    def prepare(matrix):
        for step in steps:
            matrix = step(matrix)
        return matrix

    return prepare


def fill(missing, means):
    def step(matrix):
        absent = np.isnan(matrix)
        for number in missing:
            absent |= matrix == np.float32(number)
        return np.where(absent, means, matrix)

    return step


def standardize(means, deviations):
    return lambda matrix: (matrix - means) / deviations


def open_codec(name: str, schemas: Path, output_schema):
    """Functions from the bytes of a value to a dictionary, and back."""
    if name == "json":
        return orjson.loads, orjson.dumps
    readers = {}
    writer = fastavro.parse_schema(output_schema)

    def decode(value):
        number = int.from_bytes(value[1:5], "big")
        if number not in readers:
            readers[number] = fastavro.parse_schema(json.loads((schemas / f"{number}.avsc").read_text()))
        return fastavro.schemaless_reader(io.BytesIO(value[5:]), readers[number])

    def encode(row):
        # The id of the schema of predictions would come from a registry.
        buffer = io.BytesIO(b"\0\0\0\0\0")
        buffer.seek(5)
        fastavro.schemaless_writer(buffer, writer, row)
        return buffer.getvalue()

    return decode, encode


def output_schema(key: str):
    fields = [
        {"name": key, "type": "long"},
        {"name": "prediction", "type": {"type": "array", "items": "float"}},
        {"name": "predicted_index", "type": "int"},
        {"name": "predicted_label", "type": "string"},
        {"name": "model", "type": "string"},
        {"name": "model_version", "type": "int"},
    ]
    return {"type": "record", "name": "prediction", "fields": fields}


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


def main():
    arguments = argparse.ArgumentParser()
    for name in ["bundle", "brokers", "topic", "output", "group"]:
        arguments.add_argument(f"--{name}", required=True)
    arguments.add_argument("--format", default="json")
    arguments.add_argument("--schemas", default="schemas")
    arguments.add_argument("--emit", help="forward only this label")
    arguments.add_argument("--batch", type=int, default=4096)
    options = arguments.parse_args()
    threading.Thread(target=end_with_parent, daemon=True).start()

    bundle = Path(options.bundle)
    manifest = json.loads((bundle / "manifest.json").read_text())
    schema, vocabulary = manifest["schema"], manifest["target"]["vocabulary"]
    key = schema["key"]
    features = itemgetter(*schema["features"])
    predict = open_network(bundle, manifest["model"])
    prepare = open_preparation(manifest["pipeline"])
    decode, encode = open_codec(options.format, Path(options.schemas), output_schema(key))
    name, version = manifest["name"], manifest["version"]
    # Compiled before the first row.
    predict(np.zeros((options.batch, len(schema["features"])), dtype=np.float32))

    consumer = Consumer(
        {
            "bootstrap.servers": options.brokers,
            "group.id": options.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer({"bootstrap.servers": options.brokers, "linger.ms": 5, "acks": "all"})
    failures = []

    def delivered(error, _message):
        if error is not None:
            failures.append(error)

    num_rows = 0

    def tell():
        line = {"rows": num_rows, "atMs": time.monotonic() * 1000, "cpuSeconds": time.process_time()}
        print(json.dumps(line), flush=True)

    consumer.subscribe([options.topic], on_assign=lambda _consumer, _partitions: tell())
    while True:
        messages = consumer.consume(options.batch, timeout=0.2)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
        if not messages:
            continue
        rows = [decode(message.value()) for message in messages]
        matrix = np.array([features(row) for row in rows], dtype=np.float32)
        outputs = predict(prepare(matrix)).numpy()
        indices = outputs.argmax(axis=1).tolist()
        for message, row, numbers, index in zip(messages, rows, outputs.tolist(), indices):
            label = vocabulary[index]
            if options.emit is not None and label != options.emit:
                continue
            value = {
                key: row[key],
                "prediction": numbers,
                "predicted_index": index,
                "predicted_label": label,
                "model": name,
                "model_version": version,
            }
            producer.produce(options.output, encode(value), message.key(), on_delivery=delivered)
        producer.flush()
        if failures:
            raise KafkaException(failures[0])
        consumer.commit(asynchronous=False)
        num_rows += len(rows)
        tell()


main()
