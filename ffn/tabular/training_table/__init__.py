"""A training table as typed columns in files, split, and prepared as inputs of the network."""
