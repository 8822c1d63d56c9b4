"""Speed beside others, and the page that shows it: ``python -m benchmarks``."""
