"""Training tables: ingest to typed, memory-mapped columns; splits; preprocessing to inputs."""
