"""Verbs about networks that learn."""
