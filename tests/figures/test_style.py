"""Saving: whole files, the same bytes, no time stamps, and one line when it cannot be done."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

from bounds.errors import InputFileError
from bounds.files import read_bytes, write_bytes
from figures import bound_against_measured, save, to_png_base64, to_svg_text
from figures.style import STROKES, house_style, new_figure, stroke
from verify.verdict import CaseResult

PNG = b"\x89PNG\r\n\x1a\n"


def _figure(by_case: dict[str, CaseResult]) -> Figure:
    return bound_against_measured(by_case["atc-n"].curves[0], "one")


@pytest.mark.parametrize(("suffix", "start"), [(".png", PNG), (".SVG", b"<?xml"), (".pdf", b"%PDF")])
def test_every_format_gives_the_same_bytes_twice(by_case: dict[str, CaseResult], tmp_path: Path, suffix: str, start: bytes) -> None:
    paths = [save(_figure(by_case), tmp_path / name / f"figure{suffix}") for name in ("a", "b")]
    first, second = (path.read_bytes() for path in paths)
    assert first.startswith(start)
    assert first == second
    assert b"Date" not in first
    assert [path.name for path in (tmp_path / "a").iterdir()] == [f"figure{suffix}"]


def test_what_the_user_set_for_matplotlib_does_not_leak_in(by_case: dict[str, CaseResult]) -> None:
    plain = to_png_base64(_figure(by_case))
    with matplotlib.rc_context({"lines.linewidth": 9.0, "axes.facecolor": "black", "xtick.direction": "in"}):
        assert to_png_base64(_figure(by_case)) == plain
    assert base64.b64decode(plain).startswith(PNG)
    assert "<svg" in to_svg_text(_figure(by_case))


def test_the_style_leaves_the_global_settings_alone() -> None:
    before = dict(matplotlib.rcParams)
    with house_style():
        new_figure(3, 2, "a title with 5 $ and 6 $").canvas.draw()
    assert dict(matplotlib.rcParams) == before


def test_pyplot_is_never_imported() -> None:
    code = "import figures, sys; print([name for name in ('matplotlib.pyplot', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["figure.gif", "figure", "figure.tar.xz"])
def test_an_unknown_suffix_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"allowed are \.png, \.svg and \.pdf; ") as caught:
        save(new_figure(2, 2), tmp_path / name)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputFileError, match=r"cannot write .*choose a path you may write to") as caught:
        save(new_figure(2, 2), tmp_path / "file" / "figure.png")
    assert "\n" not in str(caught.value)
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(InputFileError):
        write_bytes(tmp_path / "taken.png", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken.png"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "figure.png"
    write_bytes(target, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bounds.files.os.fsync", fail)
    with pytest.raises(InputFileError, match="No space left"):
        write_bytes(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_files_get_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"x")
    write_bytes(tmp_path / "ours", b"x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_missing_figure_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"cannot read .*give the path of a readable file"):
        read_bytes(tmp_path / "none.png")


def test_series_differ_without_their_colour() -> None:
    assert len({str(one.line) for one in STROKES}) == len({one.marker for one in STROKES}) == len(STROKES)
    assert len({stroke(index) for index in range(25)}) == 25
