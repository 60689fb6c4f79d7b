"""What is to be measured."""

import re
from pathlib import Path

import pytest

from bench import __main__ as bench_command
from bench import plan as bench_plan
from bench.plan import VARIABLES, BenchFailed, plan


def test_without_variables_everything_is_measured_up_to_a_million_rows() -> None:
    asked = plan({})
    assert asked.rows == (10_000, 100_000, 1_000_000)
    assert asked.peer_rows == (10_000, 100_000)
    assert (asked.runs, asked.databases, asked.order) == (5, ("sqlite", "postgres"), "id")
    assert asked.output.name == "results.json"


def test_peers_are_measured_at_no_other_sizes_unless_asked_for() -> None:
    assert plan({"BENCH_ROWS": "10000"}).peer_rows == (10_000,)
    assert plan({"BENCH_ROWS": "10000", "BENCH_PEER_ROWS": "1000"}).peer_rows == (1_000,)


def test_sizes_come_in_their_order_and_once() -> None:
    assert plan({"BENCH_ROWS": "300,10,300"}).rows == (10, 300)


def test_parts_come_in_their_own_order() -> None:
    assert plan({"BENCH_PARTS": "workers,works"}).parts == ("works", "workers")


def test_folders_are_those_that_are_named(tmp_path: Path) -> None:
    asked = plan({"BENCH_FOLDER": str(tmp_path), "BENCH_OUTPUT": str(tmp_path / "results.json")})
    assert (asked.folder, asked.output) == (tmp_path, tmp_path / "results.json")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "BENCH_ROWS",
            "ten",
            "BENCH_ROWS is 'ten'; write numbers with commas between them, such as 10000,100000",
        ),
        ("BENCH_RUNS", "0", "BENCH_RUNS is '0'; numbers begin at 1"),
        ("BENCH_DATABASES", "mysql", "BENCH_DATABASES names mysql; known are sqlite, postgres"),
        (
            "BENCH_PARTS",
            "works,all",
            "BENCH_PARTS names all; "
            "known are works, peers, growth, shapes, small, latency, upload, encryption, pages, "
            "plans, workers, large",
        ),
    ],
)
def test_an_invalid_value_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(BenchFailed) as caught:
        plan({name: value})
    assert str(caught.value) == message


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), (["--rows", "10"], 2), (["all"], 2)])
def test_help_and_wrong_arguments_measure_nothing(
    words: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bench_command, "measure", lambda *arguments: pytest.fail("it measures"))
    with pytest.raises(SystemExit) as end:
        bench_command.main(words)
    assert end.value.code == code
    if not code:
        shown = capsys.readouterr().out
        assert [name for name in VARIABLES if f"  {name} " not in shown] == []


def test_every_variable_is_described() -> None:
    source = Path(bench_plan.__file__).read_text(encoding="utf-8")
    read = set(re.findall(r"BENCH_[A-Z_]+", source.partition("def plan")[2]))
    assert read == set(VARIABLES)
