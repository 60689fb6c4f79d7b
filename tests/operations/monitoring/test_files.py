"""The alert rules, the dashboard and the page about monitoring name only what is exported."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollbook.operations.monitoring import readiness
from rollbook.operations.monitoring.metrics import METRICS
from rollbook.operations.monitoring.reference import with_table
from rollbook.updates.state_machine import Outcome, State

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "monitoring" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "monitoring" / "grafana-dashboard.json"
PAGE = ROOT / "docs" / "monitoring.md"

LABELS = {metric.name: set(metric.labels) for metric in METRICS}
OF_PROMETHEUS = {"instance", "job"}
KNOWN_VALUES = {
    "state": {state.value for state in State},
    "outcome": {outcome.value for outcome in Outcome},
    "check": set(readiness.CHECKS),
}


def rules() -> list[dict[str, Any]]:
    loaded = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each expression, and the text that names its labels."""
    for rule in rules():
        yield rule["expr"], " ".join(rule["annotations"].values())
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]


@pytest.mark.parametrize(("expression", "text"), list(expressions()))
def test_an_expression_names_only_exported_metrics_and_their_labels(
    expression: str, text: str
) -> None:
    names = set(re.findall(r"\brollbook_\w+", expression))
    assert names
    assert names <= LABELS.keys()
    labels = set.union(*(LABELS[name] for name in names)) | OF_PROMETHEUS
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        assert set(re.split(r",\s*", group)) <= labels
    for label, value in re.findall(r'(\w+)\s*=~?\s*"([^"]*)"', expression):
        assert label in labels
        assert value in KNOWN_VALUES[label]
    assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels
    assert set(re.findall(r"\{\{(\w+)\}\}", text)) <= labels
    assert expression.count("(") == expression.count(")")


def test_only_counters_are_taken_as_counters() -> None:
    for expression, _ in expressions():
        for name in re.findall(r"(?:increase|rate)\((\w+)", expression):
            assert name.endswith("_total")
        for name in re.findall(r"\brollbook_\w+_total\b", expression):
            assert re.search(rf"increase\({name}", expression)


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {
        name for panel in panels() for name in re.findall(r"\brollbook_\w+", json.dumps(panel))
    }
    assert shown == LABELS.keys()


def test_panels_do_not_overlap_and_have_a_title() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in panels():
        assert panel["title"]
        assert panel["description"]
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells
        assert max(x for x, _ in own) < 24
        cells |= own
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_every_alert_says_what_to_do_and_is_in_the_docs() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "action"}
    listed = re.findall(r"^\| (Rollbook\w+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == [rule["alert"] for rule in rules()]


def test_the_table_of_metrics_is_fresh_and_every_code_is_in_the_docs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page), "run `make docs`"
    listed = re.findall(r"^\| `(\w+)` \| [A-Z]", page, re.MULTILINE)
    assert {*readiness.PROBLEMS} <= {*listed}
