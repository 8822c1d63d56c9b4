"""The runs of a pipeline, retraining and batch scoring, as steps that any executor can run."""
