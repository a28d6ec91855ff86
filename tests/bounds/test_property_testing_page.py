"""Every block of docs/property-testing.md runs, its tests pass, and what it shows is what it prints."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "property-testing.md"


def test_the_page_runs_and_prints_what_it_shows(tmp_path: Path) -> None:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(), flags=re.M | re.S)
    code = "\n".join(text for language, text in blocks if language == "python")
    shown = "".join(text for language, text in blocks if language == "text")
    calls = "\n".join(f"{name}()" for name in re.findall(r"^def (test_\w+)", code, flags=re.M) if name != "test_wrong")
    (tmp_path / "page.py").write_text(f"{code}\n{calls}\n")
    # A process of its own, as a reader would run it.
    done = subprocess.run([sys.executable, "-W", "error", "page.py"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "three lines" in PAGE.read_text()
    assert calls.splitlines() == ["test_mine()", "test_ten_times_the_steps()"]
    assert done.stdout == shown
