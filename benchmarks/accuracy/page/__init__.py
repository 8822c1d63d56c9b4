"""The section of the page: what is compared, said and drawn."""
