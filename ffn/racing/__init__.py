"""How candidates of a search are dropped before all of their networks are trained."""
