"""Verbs that go back: to how a version was made, and to what was known at the time."""
