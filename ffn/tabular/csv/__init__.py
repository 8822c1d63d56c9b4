"""CSV reader and writer: every record of a file is either used or rejected with a reason."""
