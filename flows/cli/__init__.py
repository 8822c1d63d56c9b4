"""The command line ``ffn``: verbs, options and printed output."""
