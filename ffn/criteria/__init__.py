"""The figure by which models are selected and gated, where it is not the log-loss."""
