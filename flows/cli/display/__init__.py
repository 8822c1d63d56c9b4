"""What the command line prints: progress bars, tables, sentences."""
