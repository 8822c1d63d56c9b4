"""Figures, tables and foreign text as Markdown and HTML."""
