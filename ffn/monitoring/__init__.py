"""What became of the predictions: labels that arrive later, and the quality that they show."""
