"""Tests of ffn/search."""
