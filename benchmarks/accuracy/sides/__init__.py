"""How each library is trained and asked: one function a side, from CSV files to probabilities."""
