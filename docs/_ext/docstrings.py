"""Docstrings in the plain style of this project: sections as Google writes them, and text that is no markup but for code and roles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_MARKUP = re.compile(r"(``.+?``|:[\w:]+:`[^`]+`|^ *>>>[^\n]*$|^ *\* )", re.DOTALL | re.MULTILINE)
_TWO_NAMES = re.compile(r"^( {4,}(?!\w*Error)[A-Za-z][\w/]*), (?=(?:\w+, )*\w+: )", re.MULTILINE)


def escaped(text: str) -> str:
    """``text`` with stars, bars and trailing underscores outside code and roles as characters."""
    # "a, b: ..." would be read as a name b of type a.
    while _TWO_NAMES.search(text):
        text = _TWO_NAMES.sub(r"\1/", text)
    pieces = _MARKUP.split(text)
    pieces[::2] = [re.sub(r"(?<!\\)([*|]|_(?!\w))", r"\\\1", piece) for piece in pieces[::2]]
    # Markup that touches a word needs an empty mark between them.
    for k in range(1, len(pieces), 2):
        if pieces[k][0] in "`:":
            pieces[k - 1] = re.sub(r"(?<=[\w.])$", r"\\ ", pieces[k - 1])
            pieces[k + 1] = re.sub(r"^(?=\w)", r"\\ ", pieces[k + 1])
    return "".join(pieces)


def _process(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    # As a property, a text such as "Models per walk: m" would be read as a type and its explanation.
    kind: Any = "method" if what in ("property", "attribute", "data") else what
    plain = escaped("\n".join(lines)).split("\n")
    sections: Any = Config(napoleon_use_ivar=True)
    lines[:] = GoogleDocstring(plain, sections, app, kind, name, thing).lines()


def _sign(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    # What a dataclass writes for a default that it makes anew is no Python.
    return signature and signature.replace("<factory>", "..."), returns


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-process-signature", _sign)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
