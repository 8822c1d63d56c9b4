"""Files on disk: atomic writes, locks, compression, caches and memory-mapped arrays."""
