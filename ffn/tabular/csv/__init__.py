"""CSV bytes to records: every record of a file is used or rejected with a reason."""
