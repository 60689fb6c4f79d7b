"""Each statement about security has a test, each mark names a statement, and the table is fresh."""

import ast
import re
from pathlib import Path

import pytest

from tools import statements

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security" / "statements.md").read_text(encoding="utf-8")
PRIORITIES = statements.priorities(PAGE)
TESTS = statements.marked_tests(ROOT / "tests")
UNSAFE_TEMPLATE = re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off|\|\s*safeseq\b")
UNSAFE_NAMES = {"mark_safe", "eval", "exec", "pickle", "marshal", "RawSQL", "system", "popen"}
POSSIBLY_UNSAFE = re.compile(rf"\b(?:{'|'.join(UNSAFE_NAMES)}|shell|format_html)\b")


def listed_as_not_yet() -> set[str]:
    section = PAGE.partition("## Not yet")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| (S\d\d) \| ", section, re.MULTILINE))


def test_there_are_sixty() -> None:
    assert list(PRIORITIES) == [f"S{number:02}" for number in range(1, 61)]


@pytest.mark.parametrize("number", PRIORITIES)
def test_it_has_a_test_or_is_listed_as_not_done(number: str) -> None:
    if PRIORITIES[number] != "P2" and number not in listed_as_not_yet():
        assert TESTS.get(number), f"mark a test with @pytest.mark.statement({number!r})"


def test_every_mark_names_a_statement() -> None:
    assert set(TESTS) <= set(PRIORITIES), "docs/security/statements.md has no such statement"
    assert listed_as_not_yet() <= set(PRIORITIES)


def test_the_table_of_tests_is_fresh() -> None:
    assert statements.with_tests(PAGE, TESTS) == PAGE, "run `make docs`"


SOURCE = """
import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.statement("S01")]

@pytest.mark.statement("S02", "S03")
@pytest.mark.parametrize("x", [1])
def test_one(x): ...

class TestTwo:
    @pytest.mark.statement("S04")
    def test_three(self): ...

@pytest.mark.process
def test_none(): ...
"""


def test_marks_of_files_functions_and_methods_are_found() -> None:
    assert sorted(statements.marks(ast.parse(SOURCE), "tests/test_x.py")) == [
        ("S01", "tests/test_x.py"),
        ("S02", "tests/test_x.py::test_one"),
        ("S03", "tests/test_x.py::test_one"),
        ("S04", "tests/test_x.py::test_three"),
    ]


def test_a_page_without_the_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="must have"):
        statements.with_tests("| S01 | P0 | A. | B |\n", {})


@pytest.mark.statement("S34")
def test_no_template_turns_escaping_off() -> None:
    templates = [
        path for path in ROOT.glob("src/**/templates/**/*") if path.suffix in {".html", ".svg"}
    ]
    assert len(templates) > 50
    for path in templates:
        assert not UNSAFE_TEMPLATE.search(path.read_text(encoding="utf-8")), path


@pytest.mark.statement("S34")
def test_nothing_is_marked_as_safe_evaluated_or_passed_to_a_shell() -> None:
    for path in ROOT.glob("src/**/*.py"):
        source = path.read_text(encoding="utf-8")
        if POSSIBLY_UNSAFE.search(source):  # parsing every file takes seconds
            assert not unsafe_calls(ast.parse(source)), path


def unsafe_calls(module: ast.Module) -> list[str]:
    """Return what the module uses that can turn a value into markup, code or a shell command."""
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [name.name for name in node.names if name.name in UNSAFE_NAMES]
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            found += [called] if called in UNSAFE_NAMES else []
            found += [word.arg for word in node.keywords if word.arg == "shell"]
            if called == "format_html" and not isinstance(node.args[0], ast.Constant):
                found.append(called)
    return found


@pytest.mark.parametrize(
    "code",
    [
        "from django.utils.safestring import mark_safe",
        "eval(x)",
        "import pickle",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "format_html(text)",
    ],
)
def test_what_is_unsafe_is_found(code: str) -> None:
    assert POSSIBLY_UNSAFE.search(code)
    assert unsafe_calls(ast.parse(code))


def test_what_is_safe_is_allowed() -> None:
    assert not unsafe_calls(ast.parse("format_html('<b>{}</b>', x); connection.execute(sql, [x])"))
