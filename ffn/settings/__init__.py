"""Settings of a pipeline: the schema of ``pipeline.toml``, and the pipeline's folders."""
