"""Objects on s3://, gs:// and az://: addresses without secrets, reading, atomic writing."""
