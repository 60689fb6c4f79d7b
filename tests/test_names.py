"""Names that were replaced by standard terms stay out of the code and of its docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUFFIXES = {".html", ".md", ".py", ".sql", ".toml", ".txt"}
PLACES = ("src", "tests", "bench", "examples", "docs", "README.md", "CONTRIBUTING.md", "Makefile")

OLD_PACKAGES = ("database", "doors", "engine", "format", "roster", "staff")

# Only names that mean nothing else: `update` and `row` are words of the domain, too.
OLD_NAMES = (ROOT / "tests" / "data" / "old_names.txt").read_text(encoding="utf-8").split()

MODULE = re.compile(r"`([a-z_/]+\.py)`")


def texts() -> list[tuple[str, str]]:
    """Return the path and the text of every file that is checked."""
    paths: list[Path] = []
    for place in PLACES:
        path = ROOT / place
        paths += path.rglob("*") if path.is_dir() else [path]
    found = []
    for path in sorted(paths):
        is_text = path.suffix in SUFFIXES or path.name == "Makefile"
        if is_text and path.name != "old_names.txt":
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
    return found


def test_no_old_name_is_left() -> None:
    pattern = re.compile(rf"\b(?:{'|'.join(OLD_NAMES)})\b")
    uses = []
    for path, text in texts():
        uses += [f"{path}: {name}" for name in pattern.findall(text)]
    assert uses == []


@pytest.mark.parametrize("package", OLD_PACKAGES)
def test_no_old_package_is_left(package: str) -> None:
    assert not (ROOT / "src" / "rollbook" / package).exists()
    uses = [path for path, text in texts() if re.search(rf"\brollbook\.{package}\b", text)]
    assert uses == []


def test_every_module_that_is_mentioned_exists() -> None:
    modules = {path.name for path in ROOT.glob("*/**/*.py")}
    missing = []
    for path, text in texts():
        mentioned = {Path(name).name for name in MODULE.findall(text)}
        missing += [f"{path}: {name}" for name in sorted(mentioned - modules)]
    assert missing == []
