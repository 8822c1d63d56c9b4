"""What turns the Markdown of this repository into a site, and what it says from the code."""
