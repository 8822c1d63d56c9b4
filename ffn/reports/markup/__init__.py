"""Markdown and HTML: tables, lists, pages, and escaping of text from outside."""
