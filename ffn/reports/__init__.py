"""Numbers to pictures and text."""
