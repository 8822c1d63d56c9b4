"""Profile a user's table, and write the settings of a new pipeline (``ffn init``)."""
