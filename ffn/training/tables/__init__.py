"""The training table: its rows, their two sides, and what is learnt of its columns."""
