"""What a search tries: combinations of settings, each a candidate of the comparison."""
