"""The inbox of a pipeline: files to be scored, and the outcome of earlier ones."""
