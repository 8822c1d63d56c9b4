"""The accuracy benchmark."""
