"""Finished candidates of a retraining, kept so that an interrupted one goes on from them."""
