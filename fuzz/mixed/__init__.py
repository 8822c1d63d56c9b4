"""Tables with columns of every kind, what must become of them, and every way to score them."""
