"""Districts that are suspended, and deletions that don't finish."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rollbook.accounts import district_keys
from rollbook.accounts.district_keys import KeyPurpose
from rollbook.accounts.models import DistrictKey, Member
from rollbook.districts.models import District
from rollbook.doctor import districts, worker_and_updates
from rollbook.doctor.result import Level
from rollbook.operations.lifecycle import deletion, erasure
from rollbook.operations.lifecycle.suspension import suspend
from rollbook.operations.models import Destruction
from rollbook.students.models import Student
from rollbook.updates.models import ResultMail, UpdateJob
from tests.doctor.conftest import Here, results
from tests.updates.night import a_class, enroll, run, send

pytestmark = pytest.mark.django_db


def test_districts_are_counted(here: Here, maple: District, cedar: District) -> None:
    suspend(cedar, "the contract has ended", timezone.now())
    assert results(districts.check(here())) == [
        (Level.OK, "2 districts, 1 suspended; nothing is half deleted")
    ]


def test_a_key_that_the_key_of_the_installation_cannot_open_is_an_error(
    here: Here, maple: District, cedar: District
) -> None:
    for district in (maple, cedar):
        district_keys.get_or_create(district.pk, KeyPurpose.FILES)
    assert (Level.OK, "2 keys of districts can be decrypted") in results(districts.check(here()))
    DistrictKey.objects.filter(district=cedar).update(wrapped_key=b"x" * 60)
    found = results(districts.check(here()))
    assert [level for level, _ in found] == [Level.OK, Level.ERROR]
    assert found[1][1].startswith("cedar-county: the key for uploaded files of cedar-county is dam")


def test_a_deletion_that_does_not_finish_is_a_warning(
    here: Here, maple: District, cedar: District
) -> None:
    enroll(cedar, a_class(1))
    student = Student.objects.get()
    deletion.start(maple, timezone.now(), None)
    erasure.start(student, timezone.now(), removes_files=False)
    assert results(districts.check(here()))[0][0] is Level.OK
    Destruction.objects.update(started_at=timezone.now() - timedelta(minutes=11))
    levels, texts = zip(*results(districts.check(here())), strict=True)
    assert levels == (Level.WARNING, Level.WARNING, Level.OK)
    assert texts[0].startswith("deleting the district maple-usd has not finished since 20")
    assert texts[1].startswith("erasing a student of cedar-county has not finished since 20")


def test_what_waits_for_a_suspended_district_is_no_problem(
    here: Here, maple: District, manager: Member
) -> None:
    run(maple, a_class(1), member=manager)
    update = send(maple, a_class(2), member=manager)
    long_ago = timezone.now() - timedelta(days=1)
    UpdateJob.objects.filter(pk=update.pk).update(received_at=long_ago)
    ResultMail.objects.create(
        update=update, member=manager, queued_at=long_ago, next_attempt_at=long_ago
    )
    assert results(worker_and_updates.updates(here()))[0][0] is Level.ERROR
    assert results(worker_and_updates.emails(here()))[0][0] is Level.WARNING
    suspend(maple, "the contract has ended", timezone.now())
    assert results(worker_and_updates.updates(here()))[0][0] is Level.OK
    assert results(worker_and_updates.emails(here()))[0][0] is Level.OK
