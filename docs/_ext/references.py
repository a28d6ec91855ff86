"""Where names in docstrings and links to the front page of the repository lead.

A name leads to the one public object of that name, or, if there is none, nowhere; but it must exist.
"""

from __future__ import annotations

import importlib
import re
import sys
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.domains.python import ObjectEntry
    from sphinx.environment import BuildEnvironment

_PACKAGES = ("bounds", "empirical", "verify", "figures", "gossip_bounds")


def _find(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement) -> nodes.Element | None:
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].rstrip(".")
    found = _named(env, target.rpartition(".")[2])
    if len(found) == 1:
        ((full, entry),) = found.items()
        return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, full)
    return content if _is_type(node) or _exists(target) else None


def _named(env: BuildEnvironment, name: str) -> dict[str, ObjectEntry]:
    """The documented objects of this short name, by full name."""
    objects = env.domains.python_domain.objects
    return {full: entry for full, entry in objects.items() if not entry.aliased and (full == name or full.endswith(f".{name}"))}


class OwnPackageFirst(SphinxPostTransform):
    """Where several packages have something of one short name, it means that of the package whose documentation uses it."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Called by Sphinx before it resolves references."""
        for node in self.document.findall(addnodes.pending_xref):
            if node.get("refdomain") == "py" and "." not in node["reftarget"].strip("."):
                found = _named(self.env, node["reftarget"].strip("."))
                near = [full for full in found if full.split(".")[0] == (node.get("py:module") or "").split(".")[0]]
                if len(found) > 1 and len(near) == 1:
                    node["reftarget"] = near[0]


def _is_type(node: nodes.Node) -> bool:
    """Whether it stands in a signature: types may come from anywhere."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, addnodes.desc_signature):
            return True
    return False


def _exists(target: str) -> bool:
    """Whether some module of our packages has something of this short name, or our packages have something of this dotted name."""
    first, *rest = target.split(".")
    if not rest:
        return any(hasattr(module, target) for name, module in list(sys.modules.items()) if name.split(".")[0] in _PACKAGES)
    if first not in _PACKAGES:
        return True
    thing: object = importlib.import_module(first)
    for count, part in enumerate(rest, 2):
        if not hasattr(thing, part) and isinstance(thing, ModuleType):
            with suppress(ModuleNotFoundError):
                importlib.import_module(".".join(target.split(".")[:count]))
        if not hasattr(thing, part):
            return False
        thing = getattr(thing, part)
    return True


def _front_page(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = re.sub(r"\]\((\.\./)+README\.md\)", "](/index.md)", source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _front_page)
    app.add_post_transform(OwnPackageFirst)
    app.connect("missing-reference", _find)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
