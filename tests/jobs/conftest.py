"""Updates with new students, and the tables of the job queue."""

from collections.abc import Iterator

import pytest
from django.db import connection

from rollbook.districts.models import District
from rollbook.jobs.many_workers import job_queue
from rollbook.updates.applying import apply, pairs
from rollbook.updates.checking import check_range
from rollbook.updates.models import UpdateJob
from rollbook.updates.receiving import files, receive
from rollbook.updates.state_machine import Mode

HEADER = "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GENDER,GRADE,SCHOOL_ID,ELL,SPECIAL_ED\n"


def new_students(district: District, count: int, name: str = "students.csv") -> UpdateJob:
    rows = "".join(f"{n},First{n},Last{n},01/02/2012,f,5,100,n,n\n" for n in range(count))
    incoming = files.IncomingFile()
    incoming.write((HEADER + rows).encode())
    return receive.receive(district, incoming, file_name=name, mode=Mode.ADD).update


def waiting_districts() -> list[int]:
    """Return the districts of the jobs that no worker has taken, in the order of the jobs."""
    return [int(str(job.lock).rpartition("-")[2]) for job in job_queue.waiting_jobs()]


def execute(statement: str, *parameters: int | str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def delete_jobs() -> None:
    """Delete all jobs and all workers."""
    for table in ("periodic_defers", "jobs", "workers"):
        execute(f"DELETE FROM procrastinate_{table}")


@pytest.fixture
def no_jobs(transactional_db: None) -> Iterator[None]:
    """Empty Procrastinate's tables, which Django doesn't empty."""
    delete_jobs()
    yield
    delete_jobs()


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_range, "MAX_UNKNOWN", 10)
    monkeypatch.setattr(check_range, "MAX_RECORDS", 10)
    monkeypatch.setattr(pairs, "MIN_PAIRED_ROWS", 10)
    monkeypatch.setattr(apply, "MIN_CHUNK_ROWS", 10)
    monkeypatch.setattr(apply, "MAX_CHUNK_ROWS", 10)
