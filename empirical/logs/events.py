"""TensorBoard's event files, read by its own reader (the extra ``[logs]``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from empirical.logs.curves import MOST_ROWS, LogError, number
from empirical.logs.scalars import Rows
from empirical.logs.tags import Curve, kind

INSTALL = "pip install 'gossip-bounds[logs]'"


def is_event_file(path: Path) -> bool:
    """Whether a file is named as TensorBoard names its event files."""
    return ".tfevents." in path.name


def read_events(path: Path, wanted: str | None) -> Rows:
    """The rows of the one tag that is the averaged model's accuracy, or of the tag ``wanted``.

    Raises:
        LogError: when tensorboard is absent, the file is damaged, or not exactly one tag fits.
    """
    events = _load(path)
    scalars, tensors = events.Tags()["scalars"], events.Tags()["tensors"]
    tag = _choose([*scalars, *tensors], wanted)
    found = events.Scalars(tag) if tag in scalars else _numbers(events, tag)
    if len(found) > MOST_ROWS:
        raise LogError(f"it has more than {MOST_ROWS} rows")
    return Rows([int(event.step) for event in found], [number(repr(float(event.value)), f"step {event.step}") for event in found])


def _load(path: Path) -> Any:
    try:
        from tensorboard.backend.event_processing.event_accumulator import SCALARS, TENSORS, EventAccumulator
    except ImportError:
        raise LogError(f"an event file needs tensorboard to be read: {INSTALL}") from None
    try:
        # 0 keeps every value; the reader would otherwise keep a random sample of 10,000.
        events = EventAccumulator(str(path), size_guidance={SCALARS: 0, TENSORS: 0})
        events.Reload()
    except Exception as error:
        # The reader's errors on damaged files have no common class.
        raise LogError(f"tensorboard cannot read it ({type(error).__name__}: {str(error)[:80]})") from None
    return events


def _choose(tags: list[str], wanted: str | None) -> str:
    fits = [tag for tag in tags if kind(tag, wanted) is Curve.AVERAGED]
    if len(fits) == 1:
        return fits[0]
    listed = ", ".join(map(repr, sorted(tags)))[:200] or "none"
    if fits:
        raise LogError(f"the tags {', '.join(map(repr, sorted(fits)))} all look like the averaged model's accuracy; choose with --tag")
    if wanted is None and tags and all(kind(tag) is Curve.LOCAL for tag in tags):
        raise LogError(f"it holds local models only (tags {listed}); averaged models are compared with averaged models only")
    raise LogError(f"no tag is {'an accuracy on held-out data' if wanted is None else repr(wanted)}; it has {listed}")


def _numbers(events: Any, tag: str) -> list[Any]:
    """Scalars that were written as tensors of one number."""
    from tensorboard.util.tensor_util import make_ndarray

    found = []
    for event in events.Tensors(tag):
        values = make_ndarray(event.tensor_proto)
        if values.size != 1:
            raise LogError(f"the tag {tag!r} holds {values.size} numbers a step, not one")
        found.append(type(event)(event.wall_time, event.step, values.item()))
    return found
