"""Tests of ffn/elimination."""
