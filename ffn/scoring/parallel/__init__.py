"""One file scored by several processes."""
