"""The gallery of docs/gallery.md: every picture drawn by the command printed beside it; ``python -m benchmarks.gallery``."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.gallery_entries import ENTRIES, Entry
from bounds.files import write_bytes, write_text
from gossip_bounds.main import run

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = "images/gallery"
#: Bytes that a picture may have at most, so that the page loads at once.
MOST = 60_000
_EMBEDDED = re.compile(r'src="data:image/png;base64,([^"]+)"')
#: Results never depend on it; one process is enough.
_ALONE = ["--jobs", "1"]
_SPREAD = ("certificates", "measure", "verify")
_FEW_COLOURS = 32
_HEAD = """# Gallery

Every picture here is drawn by the command under it; `python -m benchmarks.gallery` draws all of them again, to the same bytes with the pinned
versions. A file name that ends in `.svg` or `.pdf` gives vectors. The pictures can be read in grey and by colour-blind people: lines differ in stroke
and marker, shades in lightness, and numbers stand in the cells and on the level lines. In Python each is a function of `figures`,
which takes what `bounds` or `verify` computed and returns a matplotlib figure.
"""


def picture(entry: Entry, folder: Path, done: set[str]) -> bytes:
    """Run the commands of an entry in ``folder``, those in ``done`` excepted, and return the picture's bytes; of a large one a small copy.

    Raises:
        RuntimeError: when a command fails.
    """
    for command in entry.commands:
        if command not in done:
            _execute(command, folder)
            done.add(command)
    path, _, number = entry.place.partition("#")
    if not number:
        return _small((folder / path).read_bytes())
    return _small(base64.b64decode(_EMBEDDED.findall((folder / path).read_text(encoding="utf-8"))[int(number) - 1]))


def _small(drawn: bytes) -> bytes:
    if len(drawn) <= MOST:
        return drawn
    stream = io.BytesIO()
    colours = Image.open(io.BytesIO(drawn)).convert("RGB").quantize(_FEW_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colours.save(stream, "png", optimize=True, dpi=(160, 160))
    return stream.getvalue()


def prepare(folder: Path) -> None:
    """What the commands find beside them: docs, and made-up runs in the published format."""
    (folder / "docs").symlink_to(DOCS, target_is_directory=True)
    for batch, levels in {64: (91.4, 91.1, 91.2, 91.3), 512: (84.0, 87.9, 88.3, 88.1)}.items():
        for graph, level in zip(("csgd", "ring", "meshgrid", "exponential"), levels, strict=True):
            name = f"host_CIFAR10s56-{batch}-{graph}-fixed-16-ResNet18_M-1-0.8-0.0-0.1-0.0-60-6000-6000-666-False.csv"
            write_text(folder / "runs" / name, _made_up(level, name))


def page(entries: Sequence[Entry] = ENTRIES) -> str:
    """The text of docs/gallery.md."""
    return "\n".join([_HEAD, *(_section(entry, before) for before, entry in zip([None, *entries], entries, strict=False))])


def _section(entry: Entry, before: Entry | None) -> str:
    commands = "<!-- not run: the gallery's own test runs it -->\n```bash\n" + "\n".join(entry.commands) + "\n```"
    if before is not None and before.commands == entry.commands:
        commands = f"Drawn by the same command as the picture above. In Python: `figures.{entry.function}`."
    else:
        commands += f"\n\nIn Python: `figures.{entry.function}`."
    return f"## {entry.title}\n\n![{entry.alt}]({FOLDER}/{entry.name}.png)\n\n{entry.shows}\n\n{commands}\n"


def _execute(command: str, folder: Path) -> None:
    arguments = shlex.split(command)[1:]
    alone = _ALONE if arguments[0] in _SPREAD else []
    with _inside(folder), contextlib.redirect_stdout(io.StringIO()):
        status = run([*arguments, *alone])
    if status:
        raise RuntimeError(f"status {status} of: {command}")


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _made_up(level: float, name: str) -> str:
    """120 rows that rise steeply and then stay near ``level`` percent."""
    noise = np.random.default_rng(sum(name.encode())).standard_normal(120)
    steps = np.arange(120)
    accuracy = (level - 60 * np.exp(-steps / 12) + 0.25 * noise) / 100
    rows = [f"{1.6e9 + step},{50 * step},{value:.6f}" for step, value in zip(steps.tolist(), accuracy.tolist(), strict=True)]
    return "\n".join(["Wall time,Step,Value", *rows, ""])


def main() -> None:
    """Draw every picture and write the page."""
    with tempfile.TemporaryDirectory() as name:
        folder, done = Path(name), set[str]()
        prepare(folder)
        for entry in ENTRIES:
            drawn = picture(entry, folder, done)
            write_bytes(DOCS / FOLDER / f"{entry.name}.png", drawn)
            print(f"{entry.name}: {len(drawn)} bytes{' (TOO LARGE)' if len(drawn) > MOST else ''}")
    write_text(DOCS / "gallery.md", page())


if __name__ == "__main__":
    main()
