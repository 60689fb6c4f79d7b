"""What the papers about security say is there."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from rollbook.cli.parser import build_parser
from tests.test_docs import command_of, spans, words
from tools import asvs, limits

ROOT = Path(__file__).parents[1]
PAPERS = ROOT / "docs" / "security"
# Requirements of ASVS 5.0.0, as the standard has them.
LEVEL_1, LEVEL_2 = 70, 183
# Success criteria of WCAG 2.1 and, in 2.2, of those that it adds.
CRITERIA_A, CRITERIA_AA = 31, 24

ROWS = asvs.read()


def text_of(name: str) -> str:
    return (PAPERS / name).read_text(encoding="utf-8")


@pytest.mark.statement("S60")
def test_every_requirement_of_asvs_is_in_the_list_once() -> None:
    numbers = [tuple(map(int, row["requirement"].split("."))) for row in ROWS]
    assert numbers == sorted(set(numbers))
    levels = [row["level"] for row in ROWS]
    assert (levels.count("1"), levels.count("2")) == (LEVEL_1, LEVEL_2)
    assert len(levels) == LEVEL_1 + LEVEL_2


@pytest.mark.statement("S60")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["requirement"])
def test_a_requirement_has_evidence_that_exists(row: dict[str, str]) -> None:
    assert row["met"] in asvs.MET
    assert row["about"]
    assert row["how"].endswith(".")
    evidence = [path for path in row["evidence"].split(";") if path]
    assert evidence or row["met"] in {"n/a", "no"}
    for path in evidence:
        assert (ROOT / path).exists(), path


def test_the_counts_are_fresh() -> None:
    page = text_of("asvs.md")
    assert asvs.with_counts(page, ROWS) == page, "run `make docs`"
    with pytest.raises(ValueError, match="must have"):
        asvs.with_counts("", ROWS)


@pytest.mark.statement("S58")
def test_the_limits_are_those_of_the_code() -> None:
    page = text_of("limits.md")
    assert limits.with_table(page) == page, "run `make docs`"
    with pytest.raises(ValueError, match="must have"):
        limits.with_table("")


@pytest.mark.statement("S57")
def test_the_incident_playbook_has_notices_deadlines_and_a_command_for_each_step() -> None:
    text = text_of("incidents.md")
    for heading in ("From the operator to the district", "From the district to parents"):
        assert f"### {heading}\n\n> " in text
    assert "| 72 hours | the operator notifies the district |" in text
    assert "| 7 calendar days | in New York, the operator notifies the district |" in text
    named = set()
    for span in [*spans(text), *re.findall(r"^rollbook .+$", text, re.MULTILINE)]:
        if span.startswith("rollbook "):
            command, _ = command_of(words(span))
            named.add(command.prog.removeprefix("rollbook "))
    assert named >= {
        *("staff deactivate", "session end", "session list", "district suspend"),
        *("district resume", "audit check", "backup", "keys rotate", "update show"),
    }
    assert build_parser()


@pytest.mark.statement("S59")
@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "accessibility.md", "asvs.md", "data-sheet.md", "incidents.md"),
        *("limits.md", "statements.md", "supply-chain.md", "trusted-apps.md"),
    ],
)
def test_each_paper_is_in_the_overview_and_on_the_site(name: str) -> None:
    assert name == "README.md" or f"]({name})" in text_of("README.md")
    assert f": security/{name}\n" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert {path.name for path in PAPERS.glob("*.md")} >= {name}


def results() -> list[tuple[str, str, str]]:
    """Return the criterion, the result and the rules of each row of the accessibility report."""
    return re.findall(
        r"^\| (\d\.\d\.\d+) [^|]+ \| ([^|]+) \| ([^|]*)\|$",
        text_of("accessibility.md"),
        re.MULTILINE,
    )


@pytest.mark.statement("S59")
def test_the_accessibility_report_has_every_criterion_and_says_what_was_tested() -> None:
    level_a, level_aa = text_of("accessibility.md").split("\n## Level AA\n")
    numbers = [number for number, _, _ in results()]
    assert len(numbers) == len(set(numbers)) == CRITERIA_A + CRITERIA_AA
    assert len(re.findall(r"^\| \d\.\d\.\d+ ", level_a, re.MULTILINE)) == CRITERIA_A
    assert len(re.findall(r"^\| \d\.\d\.\d+ ", level_aa, re.MULTILINE)) == CRITERIA_AA
    assert {result for _, result, _ in results()} == {"passes", "not applicable", "not evaluated"}


def test_what_passes_names_rules_that_axe_checks_for_this_criterion() -> None:
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    for number, result, rules in results():
        names = re.findall(r"`([\w-]+)`", rules)
        assert names or result != "passes" or "no rule of axe" in rules, number
        for name in names:
            tags = re.findall(rf'\{{id:"{name}",[^{{}}]*?tags:\[([^\]]*)\]', axe)
            assert any(f'"wcag{number.replace(".", "")}"' in found for found in tags), name


def test_there_is_no_audio_or_video_as_the_report_says() -> None:
    for path in ROOT.glob("src/**/templates/**/*.html"):
        assert not re.search(r"<(audio|video|object|embed|iframe)\b", path.read_text("utf-8"))
