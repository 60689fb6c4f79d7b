"""The catalog of odd uploads, each sent with curl: the answer's status, first word and code."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import depth
from tests.cases.loading import Case, all_cases
from tests.endtoend.conftest import Rollbook, SharedServer

# What limits a case sets is the operator's, for the whole server; tests/format tries those.
CASES = [case for case in all_cases() if not case.limits]
SAMPLES = 40


@pytest.fixture(scope="module")
def server(shared_server: SharedServer) -> Iterator[Rollbook]:
    yield shared_server.for_one_test()
    shared_server.wait_until_idle()


@pytest.mark.daily_on("sqlite")
@pytest.mark.parametrize("case", depth.sample(CASES, "odd uploads", daily=SAMPLES), ids=str)
def test_an_odd_upload_gets_its_answer(server: Rollbook, tmp_path: Path, case: Case) -> None:
    file = tmp_path / "upload"
    file.write_bytes(case.content)
    encoding = ["-F", f"encoding={case.encoding}"] if case.encoding != "utf-8" else []
    answer = server.curl(
        "start", "-F", f'file=@{file};filename="students.csv"', "-F", "mode=add", *encoding
    )
    assert answer.status == case.status, answer.text
    if case.refused:
        assert answer.verdict.startswith("REFUSED update ")
        assert f": {case.refused}: " in answer.verdict
        return
    assert answer.verdict.startswith("OK update ")
    if case.accepted:  # what becomes of these rows depends on who is enrolled
        server.curl("cancel")
        return
    rejected = len({line for line, _ in case.rejected})
    assert f", {rejected:,} rejected; see " in server.until_ended()
