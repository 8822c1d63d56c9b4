"""Selection of the best candidate: what is compared, by which rule, and the reason in words."""
