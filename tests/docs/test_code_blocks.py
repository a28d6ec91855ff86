"""Every fenced block of README.md and of docs/**/*.md runs, and prints what the page shows.

A page is one script: its blocks run in order, in one folder and one namespace. Above a fence stand, where they are needed,

    <!-- file: NAME -->        the block is the content of this file (every toml block; python that is loaded, not run)
    <!-- slow -->              run with the slow tests only, for it takes more than a second
    <!-- process -->           python that starts processes: run as a program of its own
    <!-- not run: REASON -->   one of REASONS; its gossip-bounds commands are parsed all the same

``python``: statements; the comment behind a value or a print is what comes out, and so is a ``text`` block right below. Functions
``test_*`` are called. ``bash``: commands. ``console``: commands behind ``$ `` with their output, in which ``...`` is anything.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import linecache
import re
import shlex
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bounds.registry import nothing_kept
from gossip_bounds.main import run

ROOT = Path(__file__).parents[2]
REASONS = {
    "an illustration",
    "needs a cluster",
    "needs a data set",
    "needs a GPU",
    "needs git",
    "needs make",
    "needs pip",
    "needs published logs",
    "needs torchrun",
    "takes minutes",
    "the gallery's own test runs it",
}
LANGUAGES = {"python", "bash", "console", "toml", "text"}
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", flags=re.M | re.S)
_NOTE = re.compile(r"<!-- (.*?) -->\n")
#: A shell puts in what the command between the brackets prints.
_INNER = re.compile(r"\$\((gossip-bounds [^()]*)\)")
_DIRECTIVES_OF_CODE = ("{code", "{sourcecode", "{doctest", "{testcode", "{prompt", "{eval-rst")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, what it holds, and the notes above it."""

    page: str
    line: int
    language: str
    text: str
    notes: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def slow(self) -> bool:
        return "slow" in self.notes

    def note(self, key: str) -> str | None:
        return next((note.removeprefix(f"{key}: ") for note in self.notes if note.startswith(f"{key}: ")), None)

    def steps(self) -> Iterator[tuple[str, str | None]]:
        """Its commands, each with the output that the page shows (None: it shows none)."""
        if self.language == "bash":
            yield from ((line, None) for line in self.text.replace("\\\n", " ").splitlines() if shlex.split(line, comments=True))
            return
        first, *rest = re.split(r"^\$ ", self.text, flags=re.M)
        assert not first.strip(), f"{self.place}: a console block begins with '$ '"
        for part in rest:
            command, _, shown = part.replace("\\\n", " ").partition("\n")
            yield command, shown.strip("\n") or None


def _notes(before: str) -> tuple[str, ...]:
    found: list[str] = []
    while last := re.search(_NOTE.pattern + r"\Z", before):
        found.append(last[1])
        before = before[: last.start()]
    return tuple(reversed(found))


def blocks(page: str, text: str) -> list[Block]:
    """Every fenced block of a page but for Sphinx directives."""
    found = []
    for fence in _FENCE.finditer(text):
        before = text[: fence.start()]
        found.append(Block(page, before.count("\n") + 1, fence[1].strip(), fence[2], _notes(before)))
    return [block for block in found if not block.language.startswith("{") or block.language.startswith(_DIRECTIVES_OF_CODE)]


def pages() -> list[str]:
    """README and every page below docs, but for folders of the build, whose names begin with an underscore."""
    found = [path.relative_to(ROOT) for path in sorted((ROOT / "docs").rglob("*.md"))]
    return ["README.md", *(path.as_posix() for path in found if not any(part.startswith(("_", ".")) for part in path.parts))]


TEXTS = {page: (ROOT / page).read_text() for page in pages()}
BLOCKS = {page: blocks(page, text) for page, text in TEXTS.items()}
ALL = [block for found in BLOCKS.values() for block in found]
NOT_RUN = [block for block in ALL if block.note("not run")]


class Script:
    """Runs the blocks of one page in the current folder."""

    def __init__(self, found: list[Block]) -> None:
        self.names: dict[str, Any] = {"__name__": "page"}
        self.printed = ""
        self._called = set(re.findall(r"^ *(test_\w+)\(\)", "\n".join(one.text for one in found if one.language == "python"), flags=re.M))

    def run(self, block: Block) -> None:
        """Run one block, or hold it against what came out of the one above."""
        name = block.note("file")
        if name:
            Path(name).write_text(block.text)
        elif block.language == "text":
            _same(block.place, block.text, self.printed)
        elif block.language == "python":
            self.printed = _process(block) if "process" in block.notes else self._python(block)
        else:
            for command, shown in block.steps():
                self._command(block.place, command, shown)

    def _python(self, block: Block) -> str:
        known, printed = set(self.names), ""
        # Tracebacks show the page's line, and hypothesis finds the source of its tests.
        linecache.cache[block.place] = (len(block.text), None, block.text.splitlines(keepends=True), block.place)
        for statement in ast.parse(block.text).body:
            value, out = self._statement(block.place, statement)
            printed += out
            comment = _comment(block.text.splitlines()[(statement.end_lineno or 1) - 1])
            if isinstance(statement, ast.Expr) and comment and (out or value is not None):
                _says(block.place, comment, out.strip() or repr(value))
        for name in self.names.keys() - known - self._called:
            if name.startswith("test_"):
                self.names[name]()
        return printed

    def _statement(self, place: str, statement: ast.stmt) -> tuple[object, str]:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            if isinstance(statement, ast.Expr):
                return eval(compile(ast.Expression(statement.value), place, "eval"), self.names), out.getvalue()
            exec(compile(ast.Module([statement], []), place, "exec"), self.names)
        return None, out.getvalue()

    def _command(self, place: str, command: str, shown: str | None) -> None:
        command = _INNER.sub(lambda inner: _output(place, inner[1])[0].strip(), command)
        printed, complaint = _output(place, command, fails=bool(shown and shown.startswith("gossip-bounds: ")))
        if shown is not None:
            _same(f"{place}: {command}", shown, printed + complaint)


def _output(place: str, command: str, fails: bool = False) -> tuple[str, str]:
    """What a command prints, on both streams; it must end well, or in one line and status 2."""
    program, *arguments = shlex.split(command, comments=True)
    if program in ("python", "pytest"):
        words = [sys.executable, *(["-m", "pytest"] if program == "pytest" else []), *arguments]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, f"{place}: {command}\n{done.stdout}{done.stderr}"
        return done.stdout, done.stderr
    assert program == "gossip-bounds", f"{place}: {program!r} is not run here; say why above the fence: {sorted(REASONS)}"
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = run(arguments)
    assert status == (2 if fails else 0), f"{place}: {command}\nstatus {status}: {err.getvalue()}"
    return out.getvalue(), err.getvalue()


def _process(block: Block) -> str:
    Path("page.py").write_text(block.text)
    return _output(block.place, "python -W error page.py")[0]


def _comment(line: str) -> str:
    with contextlib.suppress(tokenize.TokenError):
        for token in tokenize.generate_tokens(io.StringIO(line + "\n").readline):
            if token.type == tokenize.COMMENT:
                return token.string.lstrip("# ").strip()
    return ""


def _says(place: str, comment: str, value: str) -> None:
    """A comment is the value, or the value and, behind a colon or in brackets, words about it."""
    assert comment == value or comment.startswith((f"{value}: ", f"{value} (")), f"{place}: the comment says {comment!r}, it is {value!r}"


def _same(place: str, shown: str, printed: str) -> None:
    want, got = ("".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines()) for text in (shown, printed))
    assert doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS), f"{place}\nshown:\n{want}\nprinted:\n{got}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with the pages' own files in docs/; nothing that a page registers or draws outlives it."""
    from empirical.problems.registry import PROBLEMS

    monkeypatch.setattr("empirical.problems.registry.PROBLEMS", dict(PROBLEMS))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    for name in ("GOSSIP_BOUNDS_DATA", "GOSSIP_BOUNDS_LOGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("docs").symlink_to(ROOT / "docs")
    with nothing_kept():
        yield tmp_path
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def _run(found: list[Block], wanted: Callable[[Block], bool]) -> None:
    script = Script(found)
    for block in found:
        if wanted(block) and not block.note("not run"):
            script.run(block)


@pytest.mark.parametrize("page", [page for page, found in BLOCKS.items() if any(not one.slow for one in found if not one.note("not run"))])
def test_the_page_runs(page: str, folder: Path) -> None:
    _run(BLOCKS[page], lambda block: not block.slow)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, found in BLOCKS.items() if any(one.slow for one in found)])
def test_the_whole_page_runs(page: str, folder: Path) -> None:
    _run(BLOCKS[page], lambda block: True)


@pytest.mark.parametrize("page", BLOCKS)
def test_every_block_says_what_it_is(page: str) -> None:
    text = TEXTS[page]
    fences = re.findall(r"^[ \t>]*(?:```|~~~).*$", text, flags=re.M)
    assert len(fences) == 2 * len(_FENCE.findall(text)), f"{page}: fences are three backticks at the beginning of a line: {fences}"
    above = None
    for block in BLOCKS[page]:
        assert block.language in LANGUAGES, f"{block.place}: {block.language!r} is none of {sorted(LANGUAGES)}"
        for note in block.notes:
            assert note in ("slow", "process") or note.startswith(("file: ", "not run: ")), f"{block.place}: unknown note {note!r}"
        known = block.note("file") or block.note("not run")
        assert known or block.language != "toml", f"{block.place}: name the file that it is"
        follows = above is not None and above.language == "python" and above.notes == block.notes
        assert known or block.language != "text" or follows, f"{block.place}: output stands below the python that prints it"
        name = block.note("file")
        assert name is None or name in _NOTE.sub("", text), f"{block.place}: the page does not tell its reader the name {name}"
        above = block


def _parse(arguments: list[str]) -> None:
    """What typer does before it calls a command: every option known, every value of its type."""
    import typer

    from gossip_bounds.app import app

    group: Any = typer.main.get_command(app)
    if arguments and arguments[0].startswith("-"):
        return
    name, command, rest = group.resolve_command(group.make_context("gossip-bounds", arguments), arguments)
    with nothing_kept():
        context = command.make_context(name, rest)
    if name == "verify":
        from verify.suite import select

        select(context.params["claims"] or [])


@pytest.mark.parametrize("block", NOT_RUN, ids=lambda block: f"{block.place} {block.note('not run')}")
def test_what_is_not_run_says_why_and_has_commands_that_parse(block: Block) -> None:
    assert block.note("not run") in REASONS
    for command, _ in block.steps() if block.language in ("bash", "console") else ():
        inner = _INNER.findall(command)
        for program, *arguments in (shlex.split(one, comments=True) for one in (*inner, _INNER.sub("name=1", command))):
            if program == "gossip-bounds":
                _parse(arguments)
