"""The gate on thousands of retrainings of which the truth is known: ``make simulate``."""
