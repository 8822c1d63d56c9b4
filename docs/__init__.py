"""The documentation: Markdown that is read as it is, or as a site built by ``make docs``."""
