"""What the search for slices found, in words."""
