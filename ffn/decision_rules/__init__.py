"""From class probabilities to labels: costs of mistakes, thresholds, abstention."""
