"""Partitioned folders of tables: scored part by part, published together."""
