"""The house keeps its shape: import directions, what is installed, and the pinned torch."""

import ast
import re
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ["bounds", "empirical", "verify", "figures", "gossip_bounds"]
FORBIDDEN = {"bounds": {"torch", "matplotlib"}, "empirical": {"matplotlib"}, "verify": {"matplotlib"}}
SOURCES = [path for folder in ORDER for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0]
    upwards = set(ORDER[ORDER.index(folder) + 1 :])
    assert not imported(path) & upwards
    assert not imported(path) & FORBIDDEN.get(folder, set())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    assert path.read_text().count("\n") <= 400


def test_torch_was_not_replaced() -> None:
    pinned = re.search(r"^torch==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert version("torch").split("+")[0] == pinned[1]


def test_every_dependency_is_pinned() -> None:
    pins = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [re.split(r"[<>=]", name)[0].lower() for name in project["dependencies"]]
    wanted += (ROOT / "requirements-dev.txt").read_text().split("\n")[1:]
    assert {name.strip() for name in wanted if name.strip()} <= pins


def test_tests_and_benchmarks_are_not_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["packages"]["find"]["include"] == [f"{folder}*" for folder in ORDER]
    scripts = {script.name: script.value for script in entry_points(group="console_scripts")}
    assert scripts["gossip-bounds"] == "gossip_bounds.main:main"


def test_one_name_reaches_the_whole_toolkit() -> None:
    import bounds
    import gossip_bounds

    assert gossip_bounds.bounds is bounds
    assert all(getattr(gossip_bounds, name).__name__ == name for name in gossip_bounds.__all__)
    with pytest.raises(AttributeError, match="it has bounds"):
        _ = gossip_bounds.nothing
