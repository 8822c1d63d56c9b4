"""What runs a training around the network: batches, their order, evaluation, early stopping."""
