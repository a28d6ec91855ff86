"""The documentation site: ``make docs`` builds it offline into ``out/site``, and every warning is an error."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE.parent), str(_HERE / "_ext")]

project = "gossip-bounds"
author = "The gossip-bounds developers"
version = release = version_of("gossip-bounds")

extensions = ["sphinx.ext.autodoc", "myst_parser", "mathml", "docstrings", "references", "generated"]
exclude_patterns = ["_ext", "_static", "images"]
highlight_language = "text"
smartquotes = False
nitpicky = True

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "fully-qualified"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "gossip-bounds"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
