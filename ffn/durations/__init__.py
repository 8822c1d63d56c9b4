"""How long a retraining will take, from a short timed one on rows of the same shape."""
