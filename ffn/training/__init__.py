"""From a table to a refitted winner: the steps of a retraining."""
