"""A registry's version in production, copied to a bucket, and from there to other machines."""
