"""The training benchmark: the same work for ``ffn.nn``, its peers and the bare matrix products."""
