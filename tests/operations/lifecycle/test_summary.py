"""The numbers of districts, with as many queries for a thousand of them as for one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.operations.lifecycle import deletion, destruction
from rollbook.operations.lifecycle.summary import summarize
from rollbook.operations.lifecycle.suspension import suspend
from rollbook.students.models import Student
from rollbook.updates.models import UpdateJob
from tests.operations.lifecycle.district import STUDENTS, unfinished_update

MAX_QUERIES = 11


def test_the_numbers_of_each_district(filled: Member, cedar: District) -> None:
    one = Student.objects.filter(district=filled.district).first()
    assert one
    Student.objects.filter(pk=one.pk).update(status="inactive")
    update = unfinished_update(filled.district)
    cedars, maples = summarize(District.objects.all())
    assert (cedars.district, maples.district) == (cedar, filled.district)
    assert (maples.active_students, maples.inactive_students) == (STUDENTS - 1, 1)
    assert (maples.schools, maples.staff) == (2, 3)
    assert (maples.last_update, maples.last_ended_at) == (update, None)
    assert (maples.unfinished_updates, maples.state) == (2, "active")
    updates = UpdateJob.objects.filter(district=filled.district)
    assert maples.stored_files == updates.count() + 1  # and a draft
    assert maples.stored_bytes > sum(updates.values_list("file_size", flat=True))
    assert (cedars.active_students, cedars.staff, cedars.last_update) == (0, 0, None)
    assert (cedars.stored_files, cedars.stored_bytes) == (0, 0)


def test_the_state_of_each_district(filled: Member, cedar: District) -> None:
    suspend(cedar, "the contract has ended", timezone.now())
    begun = deletion.start(filled.district, timezone.now(), None)
    destruction.advance(begun.pk, deletion.remove_batch)
    cedars, maples = summarize(District.objects.all())
    assert (cedars.state, maples.state) == ("suspended", "being deleted")
    begun.refresh_from_db()
    assert maples.removed == sum(begun.counts.values()) > 0


@pytest.mark.django_db
def test_a_thousand_districts_need_no_more_queries_than_one() -> None:
    District.objects.bulk_create(
        District(name=f"District {number}", slug=f"district-{number:04}") for number in range(1000)
    )
    School.objects.bulk_create(
        School(district=district, organization_id="100", name="Main")
        for district in District.objects.all()
    )
    with CaptureQueriesContext(connection) as queries:
        summaries = summarize(District.objects.all())
    assert [summary.schools for summary in summaries] == [1] * 1000
    assert len(queries) <= MAX_QUERIES
