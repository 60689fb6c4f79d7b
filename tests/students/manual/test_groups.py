"""Groups created and changed by hand."""

from datetime import UTC, datetime

import pytest

from rollbook.accounts.models import Member
from rollbook.districts.models import District, School
from rollbook.students.manual import groups
from rollbook.students.manual.groups import InvalidGroup
from rollbook.students.models import Group, Student
from rollbook.students.writer import ChangeAuthor
from tests.updates.night import a_class, column_of, counts, enroll, history, known, run

FILE = a_class(3, GROUPS="Band")


@pytest.fixture
def author(manager: Member) -> ChangeAuthor:
    return ChangeAuthor(None, manager.pk, datetime(2026, 11, 24, 8, tzinfo=UTC))


@pytest.fixture
def band(maple: District) -> Group:
    enroll(maple, FILE)
    return Group.objects.get(name="Band")


def default_of(district: District, school: str = "100") -> Group:
    return groups.create(School.objects.get(district=district, organization_id=school), "Default")


def keys(*student_ids: str) -> list[int]:
    return list(Student.objects.filter(student_id__in=student_ids).values_list("pk", flat=True))


def test_group_names_are_unique_in_any_case(maple: District) -> None:
    school = School.objects.get(district=maple, organization_id="100")
    assert groups.create(school, "  Chess   club ").name == "Chess club"
    with pytest.raises(
        InvalidGroup, match="School 100 already has a group 'CHESS CLUB'; choose another name"
    ):
        groups.create(school, "CHESS CLUB")


@pytest.mark.parametrize(
    "name", ["", " ", "Pe?a", "a &amp; b", "x" * 101, "a\nb", "=SUM(1)", "N/A", "\u200b"]
)
def test_a_name_that_no_file_can_contain_is_invalid(maple: District, name: str) -> None:
    with pytest.raises(InvalidGroup):
        groups.create(School.objects.get(district=maple, organization_id="100"), name)


def test_renaming_a_group_is_a_change_of_its_students(
    band: Group, maple: District, author: ChangeAuthor
) -> None:
    groups.add_students(groups.create(band.school, "Chess"), keys("s001"), author)
    groups.rename(band, "Orchestra", author)
    assert column_of(maple, "GROUPS") == {
        "s000": "Orchestra",
        "s001": "Chess&Orchestra",
        "s002": "Orchestra",
    }
    assert history(maple, "s000")[1:] == [("GROUPS", "Band", "Orchestra")]
    assert history(maple, "s001")[1:] == [
        ("GROUPS", "Band", "Band&Chess"),
        ("GROUPS", "Band&Chess", "Chess&Orchestra"),
    ]
    assert not known(maple)
    assert counts(run(maple, FILE)) == {"updated": 3}


def test_a_group_cannot_be_renamed_to_an_existing_name(
    band: Group, maple: District, author: ChangeAuthor
) -> None:
    groups.create(band.school, "Chess")
    with pytest.raises(InvalidGroup, match="already"):
        groups.rename(band, "chess", author)
    assert groups.rename(band, "BAND", author).name == "BAND"
    assert set(column_of(maple, "GROUPS").values()) == {"BAND"}


def test_students_without_another_group_are_in_default(
    band: Group, maple: District, author: ChangeAuthor
) -> None:
    chess = groups.create(band.school, "Chess")
    assert groups.add_students(chess, keys("s001"), author) == 1
    assert groups.add_students(chess, keys("s001"), author) == 0
    assert groups.remove_students(band, keys("s000", "s001"), author) == 2
    assert column_of(maple, "GROUPS") == {"s000": "Default", "s001": "Chess", "s002": "Band"}
    assert groups.add_students(chess, keys("s000"), author) == 1
    assert column_of(maple, "GROUPS")["s000"] == "Chess"


def test_students_of_a_removed_group_stay(
    band: Group, maple: District, author: ChangeAuthor
) -> None:
    groups.add_students(groups.create(band.school, "Chess"), keys("s001"), author)
    groups.remove(band, author)
    assert column_of(maple, "GROUPS") == {"s000": "Default", "s001": "Chess", "s002": "Default"}
    assert history(maple, "s002")[1:] == [("GROUPS", "Band", "Default")]
    assert not Group.objects.filter(name="Band").exists()


def test_the_default_group_cannot_be_changed(maple: District, author: ChangeAuthor) -> None:
    default = default_of(maple)
    with pytest.raises(InvalidGroup):
        groups.rename(default, "Other", author)
    with pytest.raises(InvalidGroup):
        groups.remove(default, author)


def test_students_of_other_schools_are_not_changed(
    band: Group, maple: District, author: ChangeAuthor
) -> None:
    enroll(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID\nz,Zoe,Park,2012-05-13,200\n")
    assert groups.add_students(band, keys("z", "s000"), author) == 0
    assert column_of(maple, "GROUPS")["z"] == "Default"
