"""Transfers by hand, and requests to the district."""

from datetime import UTC, datetime, timedelta

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.students.manual import transfers
from rollbook.students.manual.schools import add_school, close_school
from rollbook.students.manual.transfers import InvalidTransfer, TransferSelection
from rollbook.students.models import Group, Transfer, TransferState
from tests.conftest import make_member
from tests.students.manual.test_edits import key
from tests.updates.night import a_class, column_of, counts, enroll, history, known, run, students

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FILE = a_class(4, GROUPS="Band")


@pytest.fixture
def head(maple: District) -> Member:
    """The school manager of School 100."""
    member = make_member(maple, "head@maple.example", "school manager")
    member.schools.set([school(maple, "100")])
    return member


@pytest.fixture(autouse=True)
def enrolled(maple: District) -> None:
    enroll(maple, FILE)


def school(district: District, key: str) -> School:
    return School.objects.get(district=district, organization_id=key)


def whole(member: Member, organization_id: str = "100") -> TransferSelection:
    selection = transfers.select_school(member, school(member.district, organization_id).pk)
    assert selection
    return selection


def reasons(caught: pytest.ExceptionInfo[InvalidTransfer]) -> str:
    return "; ".join(caught.value.reasons)


def test_a_student_a_group_or_a_whole_school_is_selected(manager: Member, maple: District) -> None:
    group = Group.objects.get(name="Band")
    one = transfers.select_student(manager, key(maple, "s001"))
    assert one == TransferSelection("Ann001 Lee001", school(maple, "100"), (key(maple, "s001"),))
    of_group = transfers.select_group(manager, group.pk)
    assert of_group
    assert (of_group.title, of_group.pks) == ("group Band", whole(manager).pks)
    assert len(whole(manager).pks) == 4
    assert whole(manager, "200").pks == ()


def test_members_select_from_their_own_schools_only(
    head: Member, maple: District, neighbor: Member
) -> None:
    assert transfers.select_school(head, school(maple, "200").pk) is None
    assert transfers.select_school(neighbor, school(maple, "100").pk) is None
    assert transfers.select_group(neighbor, Group.objects.get(name="Band").pk) is None
    assert transfers.select_student(neighbor, key(maple, "s001")) is None
    assert transfers.targets(head, school(maple, "100")) == []


def test_a_school_of_two_thousand_moves_and_moves_back(manager: Member, maple: District) -> None:
    """Each way changes the school and the groups of each student, and no record is known then."""
    enroll(
        maple,
        a_class(
            2000, STUDENT_ID="t{0:04}", USERNAME="v{0:04}", LAST_NAME="Oak{0:04}", GROUPS="Band"
        ),
    )
    before = students(maple)
    transfer = transfers.move(manager, whole(manager), school(maple, "200"), NOW)
    assert (transfer.state, transfer.students.count()) == (TransferState.COMPLETED, 2004)
    assert set(column_of(maple, "SCHOOL_ID").values()) == {"200"}
    assert not known(maple)
    reversal = transfers.reverse_transfer(manager, transfer, LATER)
    assert (reversal.source_name, reversal.target_name, reversal.students.count()) == (
        "School 200",
        "School 100",
        2004,
    )
    assert students(maple) == {
        student: {**values, "GROUPS": "Default"} for student, values in before.items()
    }
    for student in ("s000", "t0000", "t1999"):
        assert history(maple, student)[1:] == [
            ("SCHOOL_ID", "100", "200"),
            ("GROUPS", "Band", "Default"),
            ("SCHOOL_ID", "200", "100"),
        ]
    assert counts(run(maple, FILE)) == {"updated": 4}
    assert set(column_of(maple, "GROUPS").values()) == {"Band", "Default"}


def test_a_reversal_moves_only_the_students_of_the_transfer(
    manager: Member, maple: District
) -> None:
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID\nz,Zoe,Park,2012-05-13,200\n")
    transfer = transfers.move(manager, whole(manager), school(maple, "200"), NOW)
    one = transfers.select_student(manager, key(maple, "s000"))
    assert one
    transfers.move(manager, one, school(maple, "100"), LATER)
    assert transfers.reverse_transfer(manager, transfer, LATER).students.count() == 3
    assert column_of(maple, "SCHOOL_ID") == {
        "s000": "100",
        "s001": "100",
        "s002": "100",
        "s003": "100",
        "z": "200",
    }


def test_a_school_manager_moves_between_own_schools_only(head: Member, maple: District) -> None:
    with pytest.raises(InvalidTransfer) as caught:
        transfers.move(head, whole(head), school(maple, "200"), NOW)
    assert reasons(caught) == (
        "School 200 isn't one of your schools; ask the district to move the students instead"
    )
    head.schools.add(school(maple, "200"))
    assert transfers.move(head, whole(head), school(maple, "200"), NOW).students.count() == 4


def test_students_of_a_request_stay_until_it_is_completed(
    head: Member, manager: Member, maple: District
) -> None:
    transfer = transfers.request_transfer(head, whole(head), "To the new school, please", NOW)
    assert set(column_of(maple, "SCHOOL_ID").values()) == {"100"}
    assert (transfers.count_pending(manager), transfers.count_pending(head)) == (1, 0)
    with pytest.raises(InvalidTransfer):
        transfers.complete_transfer(head, transfer, school(maple, "200"), LATER)
    assert transfers.complete_transfer(manager, transfer, school(maple, "200"), LATER) == 4
    transfer.refresh_from_db()
    assert (transfer.state, transfer.target_name, transfer.closed_by) == (
        "completed",
        "School 200",
        manager,
    )
    assert set(column_of(maple, "SCHOOL_ID").values()) == {"200"}
    assert transfers.count_pending(manager) == 0
    with pytest.raises(InvalidTransfer) as caught:
        transfers.complete_transfer(manager, transfer, school(maple, "200"), LATER)
    assert reasons(caught) == "it's no longer pending"


def test_students_who_have_left_meanwhile_are_not_moved(
    head: Member, manager: Member, maple: District
) -> None:
    third = add_school(maple, "300", "School 300")
    transfer = transfers.request_transfer(head, whole(head), "To School 200", NOW)
    one = transfers.select_student(manager, key(maple, "s000"))
    assert one
    transfers.move(manager, one, third, NOW)
    assert transfers.complete_transfer(manager, transfer, school(maple, "200"), LATER) == 3
    assert column_of(maple, "SCHOOL_ID")["s000"] == "300"


def test_a_request_is_withdrawn(head: Member, maple: District) -> None:
    transfer = transfers.request_transfer(head, whole(head), "To School 200", NOW)
    with pytest.raises(InvalidTransfer) as caught:
        transfers.request_transfer(head, whole(head), "To School 200", NOW)
    assert (
        reasons(caught) == "some of them already have a pending transfer; withdraw that one first"
    )
    transfers.withdraw(head, transfer, LATER)
    transfer.refresh_from_db()
    assert (transfer.state, transfer.closed_by) == ("withdrawn", head)
    with pytest.raises(InvalidTransfer):
        transfers.withdraw(head, transfer, LATER)


@pytest.mark.parametrize("note", ["", "  ", "x" * 201])
def test_a_request_needs_a_note(head: Member, note: str) -> None:
    with pytest.raises(InvalidTransfer, match="where they should go"):
        transfers.request_transfer(head, whole(head), note, NOW)


def test_members_see_the_transfers_of_their_schools(
    head: Member, manager: Member, neighbor: Member, maple: District
) -> None:
    third = add_school(maple, "300", "School 300")
    transfers.move(manager, whole(manager), school(maple, "200"), NOW)
    transfers.move(manager, whole(manager, "200"), third, LATER)
    assert [transfer.source_name for transfer in transfers.visible(manager)] == [
        "School 200",
        "School 100",
    ]
    assert [transfer.source_name for transfer in transfers.visible(head)] == ["School 100"]
    assert [vars(transfer)["moving"] for transfer in transfers.visible(head)] == [4]
    assert list(transfers.visible(neighbor)) == []


def test_a_school_can_be_closed_after_its_students_were_transferred(
    manager: Member, maple: District
) -> None:
    transfer = transfers.move(manager, whole(manager), school(maple, "200"), NOW)
    close_school(school(maple, "100"))
    closed = Transfer.objects.get(pk=transfer.pk)
    assert (closed.source, closed.source_name) == (None, "School 100")
    assert not transfers.may_reverse(manager, closed)
    with pytest.raises(InvalidTransfer, match="can't be moved back"):
        transfers.reverse_transfer(manager, closed, LATER)
