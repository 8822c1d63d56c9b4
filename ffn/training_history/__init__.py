"""Rows whose labels have come are appended to the training CSV, if the settings say so."""
