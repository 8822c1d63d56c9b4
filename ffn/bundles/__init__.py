"""What is saved of a model: written and read without pickle, sealed by digests."""
