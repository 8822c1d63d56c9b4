"""Tests of ffn/racing."""
