"""Tests of `ffn.tabular.dates`."""
