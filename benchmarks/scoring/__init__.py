"""CPU time, memory and wall time of labelling CSV files, beside the tools people use for it."""
