"""The version of the package, in one place: packaging, provenance and `ffn --version` read it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
