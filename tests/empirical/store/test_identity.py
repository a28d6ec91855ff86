"""The key changes with everything that can change a bit, and with nothing else."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import dataclass, fields
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import empirical.store.identity as identities
from bounds.topology import MixingMatrix
from empirical import Run
from empirical.store import run_key

PAIR = [("generalization_error", "node_average")]
BASE = Run(problem="linear", update_form="atc", m=4, n=3, T=10, eta=0.1, replicates=2)


def _matrix(weight: float) -> MixingMatrix:
    return MixingMatrix(np.full((4, 4), weight / 4) + (1 - weight) * np.eye(4))


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if MixingMatrix in get_args(hint):
        return st.text() | st.floats(0.1, 1).map(_matrix)
    return st.from_type(hint)


def _with(name: str, value: Any) -> Run:
    """BASE with one field set, unchecked: the key must tell apart whatever ``Run`` may one day allow."""
    made = copy.copy(BASE)
    object.__setattr__(made, name, value)
    return made


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, MixingMatrix) and isinstance(b, MixingMatrix):
        return np.array_equal(a.matrix, b.matrix)
    return bool(a == b) or (a != a and b != b)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.data())
def test_key_changes_exactly_when_a_field_changes(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([field.name for field in fields(Run)]))
    strategy = _values(get_type_hints(Run)[name])
    one, other = data.draw(strategy), data.draw(strategy)
    assert (run_key(_with(name, one), PAIR) == run_key(_with(name, other), PAIR)) == _same(one, other)


def test_the_key_of_a_copy_is_the_same() -> None:
    run = _with("topology", _matrix(0.5))
    assert run_key(pickle.loads(pickle.dumps(run)), PAIR) == run_key(run, PAIR)
    assert run_key(_with("topology", MixingMatrix(_matrix(0.5).matrix, name="other")), PAIR) == run_key(run, PAIR)


def test_the_key_is_the_same_in_another_process() -> None:
    code = (
        "from empirical import Run; from empirical.store import run_key\n"
        "run = Run(problem='linear', update_form='atc', m=4, n=3, T=10, eta=0.1, replicates=2)\n"
        f"print(run_key(run, {PAIR!r}, 'cpu'))"
    )
    path = ":".join(filter(None, sys.path))
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": path})
    assert found.stdout.strip() == run_key(BASE, PAIR, "cpu")


def test_an_integer_written_for_a_real_number_is_that_number() -> None:
    assert run_key(_with("eta", 1), PAIR) == run_key(_with("eta", 1.0), PAIR)
    assert run_key(_with("eta", 1), PAIR) != run_key(_with("eta", 2), PAIR)


def test_requests_count_but_not_their_order() -> None:
    more = [*PAIR, ("consensus_distance", "node_average")]
    assert run_key(BASE, more) == run_key(BASE, [*reversed(more), *PAIR])
    assert len({run_key(BASE, PAIR), run_key(BASE, more), run_key(BASE, more[1:])}) == 3


def test_device_versions_and_format_count(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [run_key(BASE, PAIR, "cpu")]
    monkeypatch.setattr(identities, "FORMAT", identities.FORMAT + 1)
    keys.append(run_key(BASE, PAIR, "cpu"))
    known = dict(identities.versions())
    for name in known:
        monkeypatch.setattr(identities, "versions", lambda changed=name: known | {changed: "0"})
        keys.append(run_key(BASE, PAIR, "cpu"))
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    keys.append(run_key(BASE, PAIR, "cuda"))
    assert len(set(keys)) == len(keys) == 7


@dataclass(frozen=True)
class _Schedule:
    c: float
    tau: float = 0.0


def test_fields_that_are_dataclasses_or_mappings_are_keyed_too() -> None:
    values = [_Schedule(1.0), _Schedule(1.0, 2.0), {"a": 1.0}, {"a": 2.0}]
    assert len({run_key(_with("eta", value), PAIR) for value in values}) == 4


def test_a_value_without_a_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        run_key(_with("eta", object()), PAIR)
