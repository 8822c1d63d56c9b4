"""The files of an inbox: which are new, and what became of the others."""
