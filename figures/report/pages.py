"""What every page is made with: the templates, the one script and its hash, numbers, and links to cited papers."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup, escape

from figures.report.numbers import number
from figures.templates import templates

_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")


@cache
def environment() -> Environment:
    """The templates of this folder, with ``number`` to write numbers and ``cited`` to link the papers that a text names."""
    found = templates(Path(__file__).parent)
    found.filters.update(number=number, cited=cited)
    # The only script that a page may run is the one whose hash its policy names: text from results never runs.
    script = found.get_template("filter.js.jinja").render()
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    found.globals.update(script=Markup(script), script_hash=digest)
    return found


def cited(text: str) -> Markup:
    """``text`` with every arXiv number as a link."""
    return Markup(_ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv \1</a>', str(escape(text))))
