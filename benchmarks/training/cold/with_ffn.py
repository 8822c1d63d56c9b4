"""Iris with four optimizers: ``ffn.nn``."""

import sys

import numpy as np

from ffn.nn import OPTIMIZERS, Network, spawn_generators, train

data, epochs = np.load(sys.argv[1]), int(sys.argv[2])
x = np.concatenate([data["x_train"], data["x_validation"]])
labels = np.concatenate([data["y_train"], data["y_validation"]])
train_rows, validation_rows = np.split(np.arange(len(x))[None], [len(data["x_train"])], axis=1)

for name, rate in [("sgd", 0.05), ("momentum", 0.01), ("adam", 0.005), ("adamw", 0.005)]:
    generators = spawn_generators(0, 1)
    network = Network.create((4, 16, 4, 3), generators)
    optimizer = OPTIMIZERS[name](learning_rate=rate)
    history = train(
        network,
        optimizer,
        x,
        labels,
        epochs=epochs,
        batch_size=32,
        generators=generators,
        rows=train_rows,
        validation_rows=validation_rows,
    )
    print(name, history.validation_accuracy[-1, 0])  # noqa: T201
