"""Sends a file of messages, one in a line, key and value apart by a delimiter, with the guarantees of an idempotent producer."""

import argparse
import sys

from confluent_kafka import KafkaException, Producer


def main():
    arguments = argparse.ArgumentParser()
    for name in ["brokers", "topic", "messages", "delimiter"]:
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    producer = Producer(
        {
            "bootstrap.servers": options.brokers,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
        }
    )
    failures = []

    def delivered(error, _message):
        if error is not None:
            failures.append(error)

    delimiter = options.delimiter.encode()
    with open(options.messages, "rb") as messages:
        for line in messages:
            key, _, value = line.rstrip(b"\n").partition(delimiter)
            while True:
                try:
                    producer.produce(options.topic, value, key, on_delivery=delivered)
                    break
                except BufferError:
                    # The queue is full: there is a place when something was delivered.
                    producer.poll(1)
            producer.poll(0)
    producer.flush()
    if failures:
        raise KafkaException(failures[0])


if __name__ == "__main__":
    sys.exit(main())
