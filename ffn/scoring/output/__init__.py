"""Output files of scoring: names, checkpoints, manifest, publication."""
