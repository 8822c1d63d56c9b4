"""Speed and accuracy beside scikit-learn: ``python -m benchmarks`` (``make benchmark``)."""
