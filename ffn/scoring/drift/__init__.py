"""Whether scored rows differ from the training rows, and how."""
