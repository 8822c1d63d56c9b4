"""Sphinx's settings for the site of the documentation: ``make docs``.

The folder of sources is the repository, so that a link between two pages, or to a file of the
code, is the same on the site and in the repository.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ffn.version import __version__

project = "ffn-pipeline"
author = "The ffn-pipeline authors"
version = release = __version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "docs.extensions.mathml",
    "docs.extensions.site_sources",
]

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "data/README.md", "benchmarks/README.md"]
# Named in order not to be walked through.
exclude_patterns = [".*", "artifacts", "build", "dist", "ffn", "flows", "fuzz", "tests"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 6
# Prices such as $5 are no formulas.
myst_dmath_allow_digits = False
myst_dmath_allow_space = False
math_number_all = False
# Texts of the program are shown as it prints them.
smartquotes = False

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"ffn-pipeline {__version__}"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
# From a file, a page may not read others to quote them.
html_show_search_summary = False
html_static_path: list[str] = []
html_math_renderer = "latex2mathml"
