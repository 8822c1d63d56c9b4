"""What the figures of a labelled table need beside probabilities and labels."""
