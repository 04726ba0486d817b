"""Settings of the documentation, built by `make docs`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

project = "Adaland"
author = "The Adaland authors"
release = "0.1.0"

extensions = [
  "myst_parser",
  "sphinx.ext.autodoc",
  "sphinx.ext.napoleon",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "README.md"]
html_theme = "furo"
html_title = "Adaland"
# Links to headings of other pages.
myst_heading_anchors = 3
# Links to files outside docs/: tests/docs_test.py looks after these.
suppress_warnings = ["myst.xref_missing"]

# Docstrings have code in single backticks, as rlax's and dm_control's do.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# A reference to one of our own names that is not there fails the build.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!adaland\.).*")]
