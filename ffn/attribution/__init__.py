"""Which columns moved a row's answer: Shapley values against one reference row."""
