"""CSV in, labelled CSV out."""
