"""Statistical inference: intervals and tests, for rows and for groups of rows."""
