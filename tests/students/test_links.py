"""Links with groups: as few as possible are written, and the end state is what is wanted."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollbook.districts.models import District, School
from rollbook.studentfile.values.free_text import join_list
from rollbook.students import links
from rollbook.students.models import Group, Student
from tests.updates.night import enroll

Cells = list[list[str]]
"""The names of the groups of each of three students."""

NAMES = st.lists(st.sampled_from(["Art", "ART", "Band", "Chess", "R&B"]), min_size=1, max_size=4)
CELLS = st.lists(NAMES, min_size=3, max_size=3)
THREE_STUDENTS = """
    STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID
    1,Ann,Lee,2012-05-13,100
    2,Bob,Kim,2012-05-13,100
    3,Cleo,Diaz,2012-05-13,100
    """


def replace(school: School, cells: Cells) -> None:
    pks = Student.objects.order_by("pk").values_list("pk", flat=True)
    pairs = zip(pks, cells, strict=True)
    wanted = links.group_links([(pk, school.pk, join_list(names)) for pk, names in pairs])
    links.replace(links.GROUPS, pks, wanted)


def stored() -> dict[tuple[int, str], int]:
    """Return the ID of each link by its student and the key of its group."""
    rows = Student.groups.through.objects.values_list("student_id", "group__name_key", "pk")
    return {(student, name): pk for student, name, pk in rows}


def ids_of(student: int, stored_links: dict[tuple[int, str], int]) -> set[int]:
    return {pk for (owner, _), pk in stored_links.items() if owner == student}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=CELLS, after=CELLS)
def test_links_that_stay_are_not_written_again(
    maple: District, before: Cells, after: Cells
) -> None:
    if not Student.objects.exists():
        enroll(maple, THREE_STUDENTS)
    school = School.objects.get(district=maple, organization_id="100")
    replace(school, before)
    old = stored()
    replace(school, after)
    new = stored()
    pks = Student.objects.order_by("pk").values_list("pk", flat=True)
    assert new.keys() == {
        (pk, name.casefold()) for pk, names in zip(pks, after, strict=True) for name in names
    }
    kept = old.keys() & new.keys()
    assert {old[link] for link in kept} == {new[link] for link in kept}
    for pk in pks:
        ids_before, ids_after = ids_of(pk, old), ids_of(pk, new)
        fewer = min(len(ids_before), len(ids_after))
        assert len(ids_before & ids_after) == fewer  # no link is removed for another one


def test_a_new_group_is_named_as_it_is_first_in_the_file(maple: District) -> None:
    enroll(maple, THREE_STUDENTS)
    school = School.objects.get(district=maple, organization_id="100")
    replace(school, [["robotics"], ["ROBOTICS"], ["Robotics"]])
    assert Group.objects.get(name_key="robotics").name == "robotics"


def test_other_students_keep_their_links(maple: District) -> None:
    enroll(maple, THREE_STUDENTS)
    school = School.objects.get(district=maple, organization_id="100")
    replace(school, [["Art"], ["Art", "Band"], ["Chess"]])
    old = stored()
    first = Student.objects.order_by("pk")[0].pk
    links.replace(links.GROUPS, [first], links.group_links([(first, school.pk, "Band")]))
    new = stored()
    assert new.keys() - old.keys() == {(first, "band")}
    assert old.items() - new.items() == {((first, "art"), old[first, "art"])}
