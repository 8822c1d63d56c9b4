"""What ``pipeline.toml`` may say, and where a pipeline has its files."""
