"""The page on numerics runs."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "numerics.md"


def test_the_page_runs() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.M | re.S)
    scope: dict[str, object] = {}
    exec(compile(code, "numerics.md", "exec"), scope)
    assert "value" in scope
