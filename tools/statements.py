"""Writes into docs/security/statements.md which tests show each statement.

Run it as ``python tools/statements.py docs/security/statements.md``. A test names the statements
that it shows with the mark ``statement``: ``@pytest.mark.statement("S04", "S13")`` before a
function, or ``pytestmark = pytest.mark.statement("S20")`` for a whole file. The source is read, so
nothing is imported.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
MARK = "statement"

_ROW = re.compile(r"^\| (S\d\d) \| (P[012]) \| ", re.MULTILINE)
_REGION = re.compile(r"(<!-- tests -->\n).*?(<!-- /tests -->)", re.DOTALL)


def priorities(page: str) -> dict[str, str]:
    """Return the statements of the page with their priorities: P0, P1 or P2."""
    return dict(_ROW.findall(_REGION.sub("", page)))


def marked_tests(folder: Path) -> dict[str, list[str]]:
    """Return the IDs of the tests below the folder that are marked, by statement."""
    tests = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        if f"mark.{MARK}(" not in source:
            continue
        name = path.relative_to(folder.parent).as_posix()
        for number, test in marks(ast.parse(source), name):
            tests[number].append(test)
    return dict(tests)


def marks(module: ast.Module, file: str) -> Iterator[tuple[str, str]]:
    """Yield each statement that is named in the file, with the ID of the test that names it."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield from ((number, f"{file}::{node.name}") for number in _numbers(decorator))
        elif isinstance(node, ast.Assign) and _is_pytestmark(node):
            yield from ((number, file) for number in _numbers(node.value))


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(name, ast.Name) and name.id == "pytestmark" for name in node.targets)


def _numbers(expression: ast.expr) -> Iterator[str]:
    """Yield the arguments of the calls of ``pytest.mark.statement`` in the expression."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == MARK:
            yield from (str(ast.literal_eval(argument)) for argument in node.args)


def with_tests(page: str, tests: Mapping[str, list[str]]) -> str:
    """Return the page with the current table of tests between its two markers.

    Raises:
        ValueError: The page doesn't contain the markers exactly once.
    """
    rows = [f"| {number} | {_cell(tests.get(number, []))} |" for number in priorities(page)]
    table = "\n".join(["| | tests |", "|---|---|", *rows, ""])
    new_page, count = _REGION.subn(lambda region: region[1] + table + region[2], page)
    if count != 1:
        raise ValueError("the page must have <!-- tests --> and <!-- /tests --> once")
    return new_page


def _cell(tests: list[str]) -> str:
    """Return the tests as code, grouped by file."""
    by_file = defaultdict(list)
    for test in dict.fromkeys(tests):
        file, _, name = test.partition("::")
        by_file[file].append(name.removeprefix("test_"))
    return "<br>".join(
        f"`{file}`: {', '.join(name.replace('_', ' ') for name in names if name) or 'all'}"
        for file, names in by_file.items()
    )


if __name__ == "__main__":
    _page = Path(sys.argv[1])
    _text = with_tests(_page.read_text(encoding="utf-8"), marked_tests(ROOT / "tests"))
    _page.write_text(_text, encoding="utf-8")
