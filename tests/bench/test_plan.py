"""What is to be measured."""

from pathlib import Path

import pytest

from bench.plan import BenchFailed, plan


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
            "known are works, peers, growth, latency, upload, encryption, pages, workers",
        ),
    ],
)
def test_an_invalid_value_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(BenchFailed) as caught:
        plan({name: value})
    assert str(caught.value) == message
