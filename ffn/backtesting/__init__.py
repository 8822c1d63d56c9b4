"""What scheduled retraining would have done over the history of a table, without registering it."""
