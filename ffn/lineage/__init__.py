"""What a version was made from: its training table, kept by content, and the commit of the code."""
