"""The split audit: how much a model's figures owe to a split that keeps nothing apart."""
