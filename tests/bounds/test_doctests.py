"""Every number in a docstring of the theory is the number that comes out."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import bounds
import bounds.catalogue

MODULES = [importlib.import_module(found.name) for found in pkgutil.walk_packages(bounds.__path__, "bounds.")]


@pytest.mark.parametrize("module", [bounds, *MODULES], ids=lambda module: module.__name__)
def test_docstrings_say_what_comes_out(module: ModuleType) -> None:
    failed, _ = doctest.testmod(module)
    assert failed == 0


@pytest.mark.parametrize("bound_id", bounds.entries())
def test_every_bound_has_a_doctest_with_a_number(bound_id: str) -> None:
    texts = [module.__doc__ or "" for module in MODULES if module.__name__.startswith("bounds.catalogue.")]
    examples = [example for text in texts for example in doctest.DocTestParser().get_examples(text)]
    places = [place for place, example in enumerate(examples) if f'"{bound_id}"' in example.source]
    # The bound may be looked up in one line and evaluated in the next.
    assert any(any(map(str.isdigit, example.want)) for place in places for example in examples[place : place + 2])
