"""Formulas of the pages as MathML, which browsers draw by themselves: no script, no font, no network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator

_SCRIPT = dict(zip("BEFHILMRegoABCD", "ℬℰℱℋℐℒℳℛℯℊℴ𝒜ℬ𝒞𝒟", strict=True)) | {
    letter: chr(0x1D49C + ord(letter) - 65) for letter in "GJKNOPQSTUVWXYZ"
}
_DOUBLE = {"E": "𝔼", "N": "ℕ", "P": "ℙ", "R": "ℝ"}
_SPACES = {"negativethinmathspace": "-0.167em", "thinmathspace": "0.167em", "mediummathspace": "0.222em", "thickmathspace": "0.278em"}


def mathml(latex: str, display: str = "inline") -> str:
    """LaTeX as MathML that follows MathML Core: letters of other alphabets are characters, widths are lengths."""
    text = convert(latex, display=display)
    text = re.sub(r'<mi mathvariant="script">(\w)</mi>', lambda found: f"<mi>{_SCRIPT.get(found[1], found[1])}</mi>", text)
    text = re.sub(r'<mi mathvariant="double-struck">(\w)</mi>', lambda found: f"<mi>{_DOUBLE.get(found[1], found[1])}</mi>", text)
    return re.sub(r'width="(\w+space)"', lambda found: f'width="{_SPACES[found[1]]}"', text)


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx: ``html_math_renderer = "mathml"`` chooses this."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
