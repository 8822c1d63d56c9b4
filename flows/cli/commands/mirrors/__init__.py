"""Verbs that copy a version to a bucket, and from there to other machines."""
