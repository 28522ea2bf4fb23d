"""The networks of the benchmarks as Keras has them."""

import sys

import keras


def build(spec):
    """A network of a specification of Millrace, of the layers that benchmarks use."""
    model = keras.Sequential([keras.Input(spec["inputShape"])])
    for layer in spec["layers"]:
        kind, activation = layer["type"], layer.get("activation")
        if kind == "dense":
            model.add(keras.layers.Dense(layer["units"], activation=activation))
        elif kind == "dropout":
            model.add(keras.layers.Dropout(layer["rate"]))
        elif kind == "conv2d":
            model.add(keras.layers.Conv2D(layer["filters"], layer["kernelSize"], activation=activation))
        elif kind == "maxPooling2d":
            model.add(keras.layers.MaxPooling2D(layer["poolSize"]))
        elif kind == "flatten":
            model.add(keras.layers.Flatten())
        else:
            sys.exit(f"{kind} is not known here.")
    return model
