"""What several tests share: models, registries, services and ways to run them."""
