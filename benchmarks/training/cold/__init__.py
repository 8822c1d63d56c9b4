"""Whole programs, each of which a user of its library would write to compare four optimizers.

Each takes an ``.npz`` file of ``x_train``, ``y_train``, ``x_validation`` and ``y_validation``
and the number of epochs, and prints the last validation accuracy of each optimizer, one a line.
"""
