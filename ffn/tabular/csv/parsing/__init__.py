"""Where the records and cells of a block of CSV bytes begin and end."""
