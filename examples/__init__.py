"""Examples to learn from, each run by the tests."""
