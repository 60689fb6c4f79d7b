"""Test ``/students`` and ``/students/<key>``: which students a member sees, and their pages."""

import re

import pytest
from django.test import Client

from rollbook.accounts import roles
from rollbook.accounts.audit import student_sets
from rollbook.accounts.models import AccountMail, AuditEvent, Member
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.districts.models import District, School
from rollbook.students.models import Student
from rollbook.updates import leftovers
from rollbook.updates.models import StagedRow
from rollbook.web.pages.students import filters, page_data, views
from tests.accounts.browser import Clock
from tests.conftest import PASSWORD, make_district, make_member
from tests.updates.night import a_class, enroll, last, run
from tests.web.pages.conftest import SignedIn, Visitor, of_school
from tests.web.pages.reading import Page, read, text_of

FILE = """
    STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB,GRADE,SCHOOL_ID,GROUPS,STATUS,RACE,SPECIAL_ED,STAFF,PARENT_EMAIL_1,PARENT_EMAIL_2
    00123,abrook,Ana,Brook,2014-05-13,4,100,Choir&Art,active,AS,y,,Home@brook.example,work@brook.example
    00124,bcole,Ben,cole,2013-11-02,5,100,Art,active,,n,teacher@maple.example,,
    00200,zdunn,Zoë,Dunn,2012-01-30,6,200,,inactive,,n,,,
    ,eevans,Émile,Evans,2012-01-31,k,200,,active,,n,,,
"""
NAMES = ["Brook, Ana", "cole, Ben", "Dunn, Zoë", "Evans, Émile"]


@pytest.fixture(scope="module")
def enrolled_once(maple_once: District) -> None:
    of_school(maple_once, "school@maple.example", "school manager")
    of_school(maple_once, "teacher@maple.example", "instructor")
    enroll(maple_once, FILE)
    enroll(
        make_district("Cedar County", "100", "900"),
        "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,SCHOOL_ID\n00123,Cedric,Brook,2014-05-13,900\n7,Nell,Reed,2014-05-13,900",
    )


@pytest.fixture
def enrolled(enrolled_once: None, maple: District) -> None:
    """Four students of Maple USD, and two of Cedar County, one with the same ID."""


@pytest.fixture
def cedar(enrolled: None) -> District:
    return District.objects.get(slug="cedar-county")


@pytest.fixture
def school_manager(enrolled: None) -> Member:
    return Member.objects.get(email="school@maple.example")


@pytest.fixture
def instructor(enrolled: None) -> Member:
    return Member.objects.get(email="teacher@maple.example")


@pytest.fixture
def office(enrolled: None, manager: Member, visitor: SignedIn) -> Visitor:
    """The browser of the district manager."""
    return visitor(manager)


def names(page: Page) -> list[str]:
    return [text_of(heading) for heading in page.main.iterfind(".//tbody/tr/th")]


def address_of(student_id: str, district: str = "maple-usd") -> str:
    return f"/students/{Student.objects.get(student_id=student_id, district__slug=district).pk}"


# --- The list


def test_the_list_is_sorted_by_last_name_ignoring_case(office: Visitor) -> None:
    page = office.read("/students")
    assert (page.title, page.heading) == ("Students · Rollbook", "Students")
    assert names(page) == NAMES
    assert page.rows[0][1:] == ["Brook, Ana", "00123", "School 100", "4", "Art, Choir", ""]
    assert page.rows[2][4:] == ["6", "Default", "■ inactive"]
    assert page.rows[3][2] == ""
    assert "4 students" in page.text
    assert page.links["Brook, Ana"] == address_of("00123")
    assert page.links["Update students"] == "/students/update"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "brook"}, NAMES[:1]),
        ({"search": "Brook, Ana"}, NAMES[:1]),
        ({"search": "  aNA   bro "}, NAMES[:1]),
        ({"search": "ana cole"}, []),
        ({"search": "ÉMILE"}, NAMES[3:]),
        ({"search": "0012"}, NAMES[:2]),
        ({"search": "124"}, NAMES[1:2]),
        ({"search": "000124"}, NAMES[1:2]),
        ({"search": "ana 123"}, NAMES[:1]),
        ({"search": "0"}, NAMES[:3]),
        ({"search": "ZDunn"}, NAMES[2:3]),
        ({"search": "Home@Brook.example"}, NAMES[:1]),
        ({"search": "work@brook.example"}, NAMES[:1]),
        ({"search": "ana home@brook"}, NAMES[:1]),
        ({"search": "@brook.example"}, []),
        ({"search": "100%"}, []),
        ({"search": "_"}, []),
        ({"grade": "5"}, NAMES[1:2]),
        ({"grade": "k"}, NAMES[3:]),
        ({"group": "art"}, NAMES[:2]),
        ({"group": "choir"}, NAMES[:1]),
        ({"status": "inactive"}, NAMES[2:3]),
        ({"group": "art", "grade": "4"}, NAMES[:1]),
        ({"search": "", "school": "", "grade": "", "group": "", "status": "", "update": ""}, NAMES),
    ],
)
def test_search_and_filters_narrow_the_list(
    office: Visitor, query: dict[str, str], found: list[str]
) -> None:
    page = office.search("/students", query)
    assert names(page) == found
    count = {0: "0 students match", 1: "1 student matches"}.get(
        len(found), f"{len(found)} students"
    )
    assert count in page.text
    sent = {name: value.strip() for name, value in query.items() if value.strip()}
    assert {name: page.form("/students").values[name][0].strip() for name in sent} == sent


def test_a_whole_key_finds_only_its_student(office: Visitor, maple: District) -> None:
    enroll(
        maple,
        "STUDENT_ID,USERNAME,FIRST_NAME,LAST_NAME,DOB\n1240,abrook2,Ida,Stone,2014-05-13\n"
        "9,abrook21,Max,Stone,2014-05-13",
    )
    for search, found in {
        "124": ["cole, Ben"],
        "00001240": ["Stone, Ida"],
        "12": ["Brook, Ana", "cole, Ben", "Stone, Ida"],
        "ABROOK2": ["Stone, Ida"],
        "abrook": ["Brook, Ana", "Stone, Ida", "Stone, Max"],
    }.items():
        assert names(office.search("/students", {"search": search})) == found


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-name", [3, 2, 1, 0]),
        ("-id", [2, 1, 0]),
        ("school", [0, 1, 2, 3]),
        ("-school", [3, 2, 1, 0]),
        ("grade", [3, 0, 1, 2]),
        ("-grade", [2, 1, 0, 3]),
        ("nothing", [0, 1, 2, 3]),
        ("--name", [0, 1, 2, 3]),
    ],
)
def test_the_list_is_sorted_by_a_column(
    office: Visitor, monkeypatch: pytest.MonkeyPatch, sort: str, order: list[int]
) -> None:
    with_id = NAMES[:3] if sort.endswith("id") else NAMES

    def sorted_names() -> list[str]:
        pages = [names(office.read("/students", {"sort": sort, "page": str(n)})) for n in (1, 2)]
        found = [name for page in pages for name in page]
        return [name for name in dict.fromkeys(found) if name in with_id]

    expected = [NAMES[index] for index in order]
    assert sorted_names() == expected
    monkeypatch.setattr(filters, "PAGE_SIZE", 2)
    assert sorted_names() == expected


def test_a_heading_sorts_the_list_that_was_searched_for(office: Visitor) -> None:
    page = office.search("/students", {"search": "e", "sort": "grade"})
    assert names(page) == ["Evans, Émile", "cole, Ben"]
    assert page.links["Grade"].endswith("&sort=-grade")
    page = office.read("/students" + page.links["Grade"])
    assert names(page) == ["cole, Ben", "Evans, Émile"]
    headings = {text_of(th): th.get("aria-sort") for th in page.main.iterfind(".//thead//th")}
    assert (headings["Grade"], headings["Name"]) == ("descending", None)
    assert page.form("/students").values["sort"] == ["-grade"]


def test_the_list_is_downloaded_for_spreadsheets(
    office: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "PAGE_SIZE", 1)
    page = office.search("/students", {"search": "e", "sort": "-name"})
    answer = office.get(page.links["Download this list"])
    assert answer["Content-Disposition"] == 'attachment; filename="students-maple-usd.csv"'
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].startswith('\ufeff"STUDENT_ID","USERNAME","FIRST_NAME"')
    assert lines[1:] == [
        '"","eevans","Émile","Evans","200","k","Default","active"',
        '"00124","bcole","Ben","cole","100","5","Art","active"',
    ]


def test_a_download_of_the_list_is_in_the_audit_of_each_student(office: Visitor) -> None:
    answer = office.get("/students.csv")
    assert answer.streaming_content
    event = AuditEvent.objects.get(action="students", result="downloaded")
    assert event.detail == "4 students, filtered by nothing"
    ours = Student.objects.filter(district__slug="maple-usd").values_list("pk", flat=True)
    assert student_sets.decode(event.students) == sorted(ours)


def test_a_large_download_of_the_list_needs_a_proof_and_is_announced(
    clock: Clock, office: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MASS_DOWNLOAD_ROWS", 4)
    assert office.get("/students.csv", {"status": "active"}).status_code == 200
    assert not AccountMail.objects.filter(notice="mass download").exists()
    clock.move(minutes=25)
    office.get("/students")
    clock.move(minutes=25)
    asked = office.get("/students.csv?sort=-name")
    assert read(asked).heading == "Confirm that it’s you"
    answer = office.post("/students.csv?sort=-name", {"confirmation": PASSWORD})
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert (len(lines), "Evans" in lines[1]) == (5, True)
    assert AccountMail.objects.filter(notice="mass download").exists()


def test_members_download_only_the_students_they_see(
    enrolled: None, instructor: Member, visitor: SignedIn
) -> None:
    text = b"".join(visitor(instructor).get("/students.csv").streaming_content).decode()
    assert [line.split(",")[1] for line in text.splitlines()[1:]] == ['"bcole"']


def test_the_school_filter_has_the_schools_of_the_district(
    office: Visitor, maple: District
) -> None:
    page = office.read("/students")
    (select,) = (field for field in page.main.iter("select") if field.get("name") == "school")
    assert ["".join(option.itertext()) for option in select] == [
        "All schools",
        "School 100 (100)",
        "School 200 (200)",
    ]
    school = School.objects.get(district=maple, organization_id="200")
    assert names(office.read("/students", {"school": str(school.pk)})) == NAMES[2:]


def test_the_list_is_filtered_by_update(office: Visitor, maple: District) -> None:
    run(maple, "STUDENT_ID,GRADE\n00123,4\n00124,6\n00200,7")
    assert names(office.read("/students", {"update": str(last(maple).number)})) == NAMES[1:3]
    assert names(office.read("/students", {"update": "1000"})) == []


@pytest.mark.parametrize(
    "query",
    [
        {"update": "seventeen"},
        {"update": "0"},
        {"update": "9" * 30},
        {"school": "9999999"},
        {"school": "9" * 30},
        {"school": "x"},
        {"grade": "15"},
        {"status": "gone"},
        {"search": "a\0b"},
        {"search": "x" * 101},
    ],
)
def test_an_invalid_filter_shows_an_error_and_no_students(
    office: Visitor, query: dict[str, str]
) -> None:
    page = office.search("/students", query)
    assert names(page) == []
    assert "A filter is invalid" in page.text
    assert page.described(*query) != ""


def test_a_school_of_another_district_cannot_be_chosen(office: Visitor, cedar: District) -> None:
    theirs = School.objects.get(district=cedar, organization_id="900")
    page = office.read("/students", {"school": str(theirs.pk)})
    assert names(page) == []
    assert "School 900" not in page.text


def test_without_matches_the_filters_can_be_cleared(office: Visitor) -> None:
    page = office.search("/students", {"search": "nobody"})
    assert "No students match" in page.text
    assert page.links["clear the filters"] == "/students"


def test_a_district_without_students_is_shown_how_to_start(
    manager: Member, visitor: SignedIn
) -> None:
    page = visitor(manager).read("/students")
    assert "There are no students yet" in page.text
    assert page.links["Upload file"] == "/students/update"
    assert page.actions == []


def test_pages_keep_the_filters_and_a_page_too_far_is_the_last(
    office: Visitor, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "PAGE_SIZE", 2)
    page = office.read("/students", {"status": "active"})
    assert names(page) == ["Brook, Ana", "cole, Ben"]
    second = office.read("/students", {"status": "active", "page": "2"})
    assert names(second) == ["Evans, Émile"]
    assert second.links["Previous page"] == "?status=active&page=1"
    assert "Page 2 of 2 · 3 students" in second.text
    assert names(office.read("/students", {"page": "999999"})) == NAMES[2:]
    for odd in ("0", "-1", "x", "9" * 30):
        assert names(office.read("/students", {"page": odd})) == NAMES[:2]


@pytest.mark.statement("S40")
def test_what_is_searched_for_is_in_no_address(
    office: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "PAGE_SIZE", 1)
    answer = office.post("/students", {"search": "Émile e", "grade": "", "status": "active"})
    address = answer["Location"]
    assert re.fullmatch(r"/students\?find=[\w-]+&status=active", address)
    assert names(office.follow(answer)) == ["Evans, Émile"]
    address = office.post("/students", {"search": "e"})["Location"]
    first = office.read(address)
    assert "Page 1 of 2" in first.text
    assert 'value="e"' in office.get(address).content.decode()
    second = office.read("/students" + first.links["Next page"])
    assert names(second) == ["Evans, Émile"]
    assert "search=" not in first.links["Next page"]


@pytest.mark.statement("S40")
def test_groups_and_grades_are_in_no_address(office: Visitor) -> None:
    wanted = {"group": "art", "grade": "4", "search": "brook", "status": "active"}
    answer = office.post("/students", wanted)
    assert re.fullmatch(r"/students\?find=[\w-]+&status=active", answer["Location"])
    page = office.follow(answer)
    assert names(page) == NAMES[:1]
    assert {name: page.form("/students").values[name][0] for name in wanted} == wanted


@pytest.mark.statement("S40")
@pytest.mark.parametrize("query", [{"search": "brook"}, {"group": "art"}, {"grade": "4"}])
@pytest.mark.parametrize("htmx", [True, False])
def test_filters_in_plain_text_in_an_address_are_ignored_with_a_hint(
    office: Visitor, query: dict[str, str], htmx: bool
) -> None:
    answer = office.get("/students", {**query, "status": "active"}, htmx=htmx)
    assert answer["Location"] == "/students?status=active"
    page = office.follow(answer)
    assert names(page) == [NAMES[0], NAMES[1], NAMES[3]]
    assert "We ignored the filters in that address" in page.text
    assert "We ignored" not in office.read("/students").text


def test_htmx_gets_the_address_of_a_search(office: Visitor) -> None:
    answer = office.post("/students", {"search": "brook"}, htmx=True)
    assert names(read(answer)) == NAMES[:1]
    address = answer.headers["HX-Replace-Url"]
    assert "brook" not in address
    assert names(office.read(address)) == NAMES[:1]


def test_another_member_cannot_read_what_was_searched_for(
    office: Visitor, school_manager: Member, visitor: SignedIn
) -> None:
    address = office.post("/students", {"search": "brook"})["Location"]
    assert 'value="brook"' in office.get(address).content.decode()
    assert "brook" not in visitor(school_manager).get(address).content.decode()


@pytest.mark.parametrize("sealed", ["", "x", "AAAA", "A" * 64, "ä" * 40, "A" * 5000, "=" * 9])
def test_a_search_that_cannot_be_read_is_ignored(office: Visitor, sealed: str) -> None:
    assert names(office.read("/students", {"find": sealed})) == NAMES


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_pages_have_every_student_once_and_in_order(
    office: Visitor, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(filters, "PAGE_SIZE", size)
    pages = [
        names(office.read("/students", {"page": str(number)}))
        for number in range(1, -(-len(NAMES) // size) + 1)
    ]
    assert [name for page in pages for name in page] == NAMES
    assert {len(page) for page in pages[:-1]} <= {size}


def test_the_number_of_queries_does_not_depend_on_the_number_of_students(
    office: Visitor, maple: District, django_assert_max_num_queries: object
) -> None:
    enroll(maple, a_class(60))
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        assert len(office.read("/students").rows) == 50


def test_htmx_gets_the_list_and_the_count_alone(office: Visitor) -> None:
    part = read(office.post("/students", {"search": "brook"}, htmx=True))
    assert names(part) == NAMES[:1]
    assert list(part.root.iter("h1")) == []
    (count,) = (one for one in part.root.iter("p") if "hx-swap-oob" in one.attrib)
    assert (count.get("hx-swap-oob"), "".join(count.itertext()).strip()) == (
        "innerHTML:#count",
        "1 student matches",
    )


@pytest.mark.statement("S45")
def test_seeing_the_list_is_in_the_audit_without_what_was_searched_for(office: Visitor) -> None:
    office.search("/students", {"search": "brook", "grade": "4"})
    event = AuditEvent.objects.get(action="students")
    assert (event.result, event.detail) == ("seen", "page 1, filtered by search, grade")


# --- Who sees whom


def test_a_school_manager_sees_the_students_of_the_school(
    enrolled: None, school_manager: Member, visitor: SignedIn
) -> None:
    school = visitor(school_manager)
    page = school.read("/students")
    assert names(page) == NAMES[:2]
    assert "School 200" not in page.text
    assert "Update students" not in page.links
    assert school.get(address_of("00123")).status_code == 200
    assert school.get(address_of("00200")).status_code == 404


def test_an_instructor_sees_the_linked_students(
    enrolled: None, instructor: Member, visitor: SignedIn
) -> None:
    teacher = visitor(instructor)
    assert names(teacher.read("/students")) == ["cole, Ben"]
    assert teacher.get(address_of("00123")).status_code == 404


@pytest.mark.parametrize("role", ["school manager", "instructor"])
def test_a_member_without_a_school_learns_why_there_are_no_students(
    enrolled: None, maple: District, visitor: SignedIn, role: str
) -> None:
    left = of_school(maple, "left@maple.example", role)
    left.schools.clear()
    page = visitor(left).read("/students")
    assert names(page) == []
    assert "You aren’t assigned to a school" in page.text


def test_an_instructor_without_students_learns_why(
    enrolled: None, maple: District, visitor: SignedIn
) -> None:
    newcomer = of_school(maple, "new@maple.example", "instructor")
    assert "No students to show" in visitor(newcomer).read("/students").text


def test_students_of_another_district_are_not_found(office: Visitor, manager: Member) -> None:
    for search in ("Cedric", "Reed", "7"):
        assert names(office.search("/students", {"search": search})) == []
    theirs = office.get(address_of("7", "cedar-county"))
    nobodys = office.get("/students/999999")
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert read(theirs).text == read(nobodys).text
    assert (
        AuditEvent.objects.filter(action="student", result="not found", member=manager).count() == 2
    )


@pytest.mark.parametrize("key", ["0", "9" * 19, "9" * 60])
def test_an_unknown_key_of_any_size_is_not_found(office: Visitor, key: str) -> None:
    assert office.get(f"/students/{key}").status_code == 404


def test_a_stranger_signs_in_first(stranger: Visitor, enrolled: None) -> None:
    assert (
        stranger.get("/students?search=brook")["Location"]
        == "/sign-in?next=%2Fstudents%3Fsearch%3Dbrook"
    )
    assert Client().get("/students").status_code == 403


# --- One student


def facts(page: Page) -> dict[str, str]:
    terms = [" ".join("".join(term.itertext()).split()) for term in page.main.iter("dt")]
    values = [" ".join("".join(term.itertext()).split()) for term in page.main.iter("dd")]
    return dict(zip(terms, values, strict=True))


def test_a_student_is_shown_in_plain_words(office: Visitor) -> None:
    page = office.read(address_of("00123"))
    assert (page.title, page.heading) == ("Ana Brook · Rollbook", "Ana Brook")
    values = facts(page)
    assert values["Student ID"] == "00123"
    assert values["School"] == "School 100 (100)"
    assert values["Groups"] == "Art, Choir"
    assert "Middle initial" not in values
    assert "Empty: Middle initial, " in page.text
    assert "Password" not in values
    assert "active" not in page.text.split("History")[0].replace("Deactivate", "")
    assert "No staff members are linked." in page.text


CONFIDENTIAL_LABELS = {
    "Birth date",
    "English learner",
    "Special education",
    "Title I",
    "Migrant",
    "Race",
    "Classifications",
}


@pytest.mark.statement("S38")
def test_confidential_fields_are_opened_on_request_with_an_event(office: Visitor) -> None:
    address = address_of("00123")
    student = int(address.rpartition("/")[2])
    page = office.read(address)
    assert CONFIDENTIAL_LABELS.isdisjoint(facts(page))
    assert "2014" not in page.text
    assert not AuditEvent.objects.filter(action="confidential fields").exists()
    page = office.read(page.links["Show"])
    opened = facts(page)
    assert "Empty: Title I, Migrant, Classifications" in page.text
    assert set(opened) >= CONFIDENTIAL_LABELS - {"Title I", "Migrant", "Classifications"}
    assert opened["Race"] == "Asian"
    assert opened["Special education"] == "yes"
    assert opened["Birth date"] == "05/13/2014"
    event = AuditEvent.objects.get(action="confidential fields")
    assert (event.result, student_sets.decode(event.students)) == ("opened", [student])


@pytest.mark.statement("S38")
def test_without_the_permission_confidential_fields_are_nowhere(
    office: Visitor, visitor: SignedIn, manager: Member, maple: District
) -> None:
    run(maple, "STUDENT_ID,SPECIAL_ED\n00123,n")
    clerk = make_member(maple, "clerk@maple.example")
    clerk.role = roles.create_role(
        manager,
        RoleType.DISTRICT_MANAGER,
        "Clerk",
        "",
        [Permission.SEE_STUDENTS, Permission.UPDATE_STUDENTS, Permission.EDIT_STUDENTS],
    )
    clerk.save()
    browser = visitor(clerk)
    address = address_of("00123")
    assert browser.get(f"{address}/confidential").status_code == 403
    number = last(maple).number
    for path in (address, f"/updates/{number}", f"/updates/{number}/rows?confidential=yes"):
        page = browser.read(path)
        assert "yes → " not in page.text
        assert "2014" not in page.text
    form = browser.read(f"{address}/edit").form_with("first_name")
    assert {"dob", "special_ed", "race"}.isdisjoint(form.fields)
    roster = "/students/update/template.csv?students=yes&column=DOB&column=LAST_NAME"
    for path in (roster, f"/updates/{number}/changes.csv"):
        text = b"".join(browser.get(path).streaming_content).decode()
        assert "Brook" in text
        assert "2014" not in text
        assert '"y","n"' not in text
    assert not AuditEvent.objects.filter(action="confidential fields").exists()


def test_linked_staff_are_named(office: Visitor) -> None:
    assert "Ana Ruiz teacher@maple.example" in office.read(address_of("00124")).text


def test_the_history_has_every_change_with_its_update(office: Visitor, maple: District) -> None:
    run(maple, "STUDENT_ID,GRADE,SPECIAL_ED,PASSWORD\n00123,7,n,zQcanary1")
    number = last(maple).number
    page = office.read(address_of("00123"))
    history = [row[1:] for row in page.rows]
    assert ["Grade", "before: 4 → now: 7", f"Update {number}"] in history
    assert ["Special education", "changed", f"Update {number}"] in history
    assert ["Password", "changed", f"Update {number}"] in history
    assert history[-1] == ["Student", "added", "Update 1"]
    assert page.links[f"Update {number}"] == f"/updates/{number}"
    assert "canary" not in page.text


def test_a_long_history_has_pages(
    office: Visitor, maple: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_data, "PAGE_SIZE", 2)
    for grade in ("5", "6", "7"):
        run(maple, f"STUDENT_ID,GRADE\n00123,{grade}")
    address = address_of("00123")
    assert [row[2] for row in office.read(address).rows] == [
        "before: 6 → now: 7",
        "before: 5 → now: 6",
    ]
    assert [row[2] for row in office.read(address, {"page": "2"}).rows] == [
        "before: 4 → now: 5",
        "added",
    ]


def test_rejected_rows_are_shown_with_reason_and_link(office: Visitor, maple: District) -> None:
    run(maple, "STUDENT_ID,GRADE\n00123,15\n00124,6")
    number = last(maple).number
    page = office.read(address_of("00123"))
    assert "Rejected rows" in page.text
    row = page.rows[0]
    assert row[1:3] == [f"Update {number}", "2"]
    assert row[3].startswith("Grade: ")
    assert "Use PK, K, T1, 1–13, UG or Adult" in row[3]
    assert "Rejected rows" not in office.read(address_of("00124")).text


@pytest.mark.parametrize(
    "row",
    [
        "123,ana,Miller,2010-01-01",
        ",Ana,Brook,2014-05-13",
        ",Brook,Ana,2014-05-13",
    ],
    ids=["ID without zeros", "name and date of birth", "names swapped"],
)
@pytest.mark.parametrize("is_cleaned", [False, True])
def test_rejected_rows_are_shown_however_they_name_the_student(
    office: Visitor, maple: District, row: str, is_cleaned: bool
) -> None:
    run(maple, f"STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\n{row},15")
    if is_cleaned:
        while leftovers.remove_batch():
            pass
    page = office.read(address_of("00123"))
    assert "Use PK, K, T1, 1–13, UG or Adult" in page.rows[0][3]
    assert "Rejected rows" not in office.read(address_of("00124")).text


def test_a_rejected_row_with_another_id_is_about_somebody_else(
    office: Visitor, maple: District
) -> None:
    run(maple, "STUDENT_ID,FIRST_NAME,LAST_NAME,DOB,GRADE\n999,Ana,Brook,2014-05-13,15")
    assert "Rejected rows" not in office.read(address_of("00123")).text
    assert not StagedRow.objects.rejected().exclude(claims_loose_key=None).exists()


def test_without_the_permission_there_are_no_links_to_updates(
    enrolled: None, school_manager: Member, visitor: SignedIn, maple: District
) -> None:
    run(maple, "STUDENT_ID,GRADE\n00123,15")
    page = visitor(school_manager).read(address_of("00123"))
    assert f"Update {last(maple).number}" in page.text
    assert [address for address in page.links.values() if address.startswith("/updates")] == []


@pytest.mark.statement("S45")
def test_seeing_a_student_is_in_the_audit_without_the_name(office: Visitor) -> None:
    address = address_of("00123")
    office.read(address)
    event = AuditEvent.objects.get(action="student")
    assert (event.result, event.detail) == (
        "seen",
        f"student with key {address.rpartition('/')[2]}",
    )
