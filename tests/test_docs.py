"""What README and docs tell people to type exists, and their links lead somewhere."""

import re
import shlex
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollbook.accounts.members.csv_import import COLUMNS as STAFF_COLUMNS
from rollbook.accounts.members.csv_import import MAX_ROWS
from rollbook.accounts.permissions import ASSIGNED_BY, POSSIBLE_PERMISSIONS, Permission
from rollbook.cli import json_reference
from rollbook.cli.parser import build_parser
from rollbook.cli.reference import page
from rollbook.environment import SETTINGS
from rollbook.settings_reference import with_table
from rollbook.version import VERSION

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
PLACES = ("*.md", ".github/**/*.md", "docs/**/*.md", "examples/**/*.md")
ALL_MARKDOWN = sorted(path for place in PLACES for path in ROOT.glob(place))
DECISION_HEADINGS = ["Context", "Decision", "Consequences", "When to reconsider"]
DECISIONS = sorted(ROOT.glob("docs/decisions/0*.md"))
WRITTEN_BY_HAND = [name for name in NAMES if name != "docs/cli.md"]
TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_DATE_AND_STATUS = re.compile(
    r"^\* Date: 20\d\d-\d\d-\d\d\n\* Status: (Accepted|Superseded by \[)", re.MULTILINE
)
_SHELL = {">>", ">", "<", "|", "&", "&&", ";"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def lines_of_blocks(text: str) -> Iterator[str]:
    """The lines of code blocks, fenced or indented, without prompt."""
    for block in _FENCED.findall(text):
        yield from (line.strip().removeprefix("$ ") for line in block.split("\n"))
    yield from (
        line.strip() for line in _FENCED.sub("", text).split("\n") if line.startswith("    ")
    )


def spans(text: str) -> list[str]:
    """Code within sentences."""
    return re.findall(r"`([^`\n]+)`", _FENCED.sub("", text))


def words(command: str) -> list[str]:
    """The command's arguments, as far as they are its own and not the shell's."""
    own: list[str] = []
    for word in shlex.split(command, comments=True)[1:]:
        if word in _SHELL:
            break
        own.append(word)
    return own


def command_of(arguments: list[str]) -> tuple[ArgumentParser, list[str]]:
    """The subcommand that is named, and what follows it; fails if a name in between is none."""
    command = build_parser()
    while arguments and (
        nouns := [each for each in command._actions if isinstance(each, _SubParsersAction)]
    ):
        if arguments[0].startswith("-"):
            break
        assert arguments[0] in nouns[0].choices, f"no subcommand {arguments[0]}"
        command, arguments = nouns[0].choices[arguments[0]], arguments[1:]
    return command, arguments


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_every_command_in_a_code_block_is_complete_and_right(name: str) -> None:
    for line in lines_of_blocks(text_of(name)):
        if line.startswith("rollbook ") and line != "rollbook --version":
            build_parser().parse_args(words(line))


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_every_subcommand_and_option_in_a_sentence_exists(name: str) -> None:
    for span in spans(text_of(name)):
        if span.startswith("rollbook "):
            command, rest = command_of(words(span))
            for word in rest:
                assert not word.startswith("-") or word in command._option_string_actions, span


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_exists(name: str) -> None:
    text = text_of(name)
    for code in [*lines_of_blocks(text), *spans(text)]:
        for target in re.findall(r"^make ([a-z-]+)", code):
            assert target in TARGETS, code


@pytest.mark.parametrize("name", [str(path.relative_to(ROOT)) for path in ALL_MARKDOWN])
def test_every_link_leads_somewhere(name: str) -> None:
    text = text_of(name)
    for target in _LINK.findall(_FENCED.sub("", text)):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        page_meant = (ROOT / name).parent / path if path else ROOT / name
        assert page_meant.exists(), target
        if anchor:
            assert anchor in anchors(page_meant.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("name", [str(path.relative_to(ROOT)) for path in ALL_MARKDOWN])
def test_every_path_and_module_in_the_text_exists(name: str) -> None:
    assert not list(missing_names(text_of(name)))


def missing_names(text: str) -> Iterator[str]:
    """Yield the paths and dotted names in the text that do not exist."""
    for path in re.findall(r"\b(?:src|tests|bench|examples)/[\w/.-]*\w/?", text):
        if not (ROOT / path).exists():
            yield path
    for dotted in re.findall(r"\brollbook(?:\.[a-z_]+){2,}", text):
        if not is_module(dotted):
            yield dotted


def is_module(dotted: str) -> bool:
    """Whether this is a package, a module, or a name in one of them."""
    path = ROOT / "src" / Path(*dotted.split("."))
    return (
        path.is_dir() or path.with_suffix(".py").exists() or path.parent.with_suffix(".py").exists()
    )


def test_every_decision_has_a_date_a_status_and_the_headings() -> None:
    index = text_of("docs/decisions/README.md")
    for number, path in enumerate(DECISIONS, start=1):
        text = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number:04}: ")
        assert _DATE_AND_STATUS.search(text), path.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == DECISION_HEADINGS, path.name
        assert f"| {number} | [" in index
        assert f"]({path.name})" in index


def anchors(text: str) -> set[str]:
    """Headings as links name them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop().resolve()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        targets = _LINK.findall(_FENCED.sub("", path.read_text(encoding="utf-8")))
        waiting += [
            path.parent / target.partition("#")[0] for target in targets if "://" not in target
        ]
    assert {path.relative_to(ROOT.resolve()) for path in reached} == {
        path.relative_to(ROOT) for path in PAGES
    }


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    known = {setting.name for setting in SETTINGS if setting.name.startswith("ROLLBOOK_")}
    listed = set(re.findall(r"ROLLBOOK_[A-Z_]+", text_of("README.md")))
    assert known - {"ROLLBOOK_BEHIND_PROXY"} == listed  # `serve --behind-proxy` sets that one


def test_the_readmes_table_of_settings_is_fresh() -> None:
    assert text_of("README.md") == with_table(text_of("README.md")), "run `make docs`"


def test_the_readmes_test_command_is_what_ci_runs() -> None:
    assert "\nmake test " in text_of("README.md")
    assert text_of(".ci/run").split("\n")[-5:-1] == [
        "make lint",
        "make test",
        "make test-all TEST_ALL=--after-make-test",
        "make site",
    ]


def test_the_page_of_the_command_is_what_the_command_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert text_of("docs/cli.md") == page(), "run `make docs`"


def test_the_page_of_json_is_what_the_code_lists() -> None:
    assert text_of("docs/json.md") == json_reference.page(), "run `make docs`"


def test_the_page_of_staff_names_every_permission_and_who_can_have_it() -> None:
    page = (ROOT / "docs" / "staff.md").read_text(encoding="utf-8")
    for permission in Permission:
        types = ", ".join(
            type_ for type_, possible in POSSIBLE_PERMISSIONS.items() if permission in possible
        )
        assert re.search(rf"^\\| {permission} \\| .+ \\| {types} \\|$", page, re.MULTILINE), (
            permission
        )
    for type_, given in ASSIGNED_BY.items():
        assert re.search(
            rf"^\\| {type_} \\| .+ \\| {', '.join(given) or 'none'} \\|$", page, re.MULTILINE
        ), type_
    assert f"    {','.join(STAFF_COLUMNS)}\n" in page
    assert f"{MAX_ROWS:,} members at most" in page


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    text = text_of("CHANGELOG.md")
    first, *released = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert first == "Unreleased"
    for heading in released:
        assert re.fullmatch(r"\d+\.\d+\.\d+ - 20\d\d-\d\d-\d\d", heading), heading
    kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        named = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert named == sorted(named, key=kinds.index), section.partition("\n")[0]
        assert len(set(named)) == len(named), section.partition("\n")[0]
    assert max(map(len, text.split("\n"))) <= 100
    assert f"## {VERSION} - " not in text or released[0].startswith(f"{VERSION} - ")
