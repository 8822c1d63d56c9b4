"""Challengers that were kept back score the rows of production, whose output they do not touch."""
