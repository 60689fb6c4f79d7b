"""Many members at once, out of a staff file."""

import pytest
from django.core import mail

from rollbook.accounts import mails
from rollbook.accounts.members.csv_import import MOST_ROWS, import_staff
from rollbook.accounts.models import AccountMail, Member
from rollbook.districts.models import School
from rollbook.studentfile.small_csv import CsvRejected
from tests.accounts.browser import NOW
from tests.conftest import a_member

HEADER = "FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS\n"

WRONG = {
    3: ("Cy,Loe,king,cy@maple.example,100", "there is no role 'king'; the roles are"),
    20: ("Di,Loe,instructor,not an address,100", "the e-mail address is not one"),
    41: (
        "Ed,Loe,instructor,ed@maple.example,",
        "the role instructor needs a school; name one at least",
    ),
    60: (
        "Fay,Loe,instructor,fay@maple.example,100&900",
        "there is no school '900' in this district",
    ),
    81: (
        "Gil,Loe,district manager,gil@maple.example,100",
        "is for the whole district; name no school",
    ),
    100: (",Loe,instructor,hal@maple.example,100", "the first name is missing"),
    121: (
        "Ida,Loe,instructor,ops@cedar.example,100",
        "ops@cedar.example cannot be added: it is in use as a login",
    ),
    140: (
        "Jo,Loe,instructor,m5@maple.example,100",
        "m5@maple.example stands in line 7 already; keep one of them",
    ),
    161: ("Kit,Loe,instructor,kit@maple.example", "it does not have 5 cells but 4"),
    180: (
        "Lu,Loe,instructor,OPS@maple.example,100",
        "ops@maple.example is a member already and this line says",
    ),
}


def a_staff_file(lines: int) -> str:
    """Of so many lines below the header, the wrong ones among them."""
    rows = [
        f"Mia,Lane,Instructor,M{n}@maple.example,{'100' if n % 2 else 'school 200'}"
        for n in range(lines)
    ]
    for line, (text, _) in WRONG.items():
        rows[line - 2] = text
    return HEADER + "\n".join(rows) + "\n"


def test_of_two_hundred_lines_ten_are_told_and_the_others_invited_once(
    manager: Member, neighbour: Member
) -> None:
    imported = import_staff(a_staff_file(200).encode("utf-8-sig"), manager, NOW)
    assert (len(imported.invited), imported.there) == (190, 0)
    assert [line for line, _ in imported.problems] == list(WRONG)
    for (_, told), (_, expected) in zip(imported.problems, WRONG.values(), strict=True):
        assert expected in told
    while mails.send_due():
        pass
    assert len({message.to[0] for message in mail.outbox}) == len(mail.outbox) == 190


def test_a_mended_file_is_sent_whole_and_invites_only_the_rest(
    manager: Member, neighbour: Member
) -> None:
    import_staff(a_staff_file(200).encode(), manager, NOW)
    again = import_staff(a_staff_file(200).replace(",king,", ",instructor,").encode(), manager, NOW)
    assert (len(again.invited), again.there, len(again.problems)) == (1, 190, 9)
    assert AccountMail.objects.count() == 191


def test_members_get_role_and_schools(manager: Member) -> None:
    text = HEADER + "Ida,Stone,School Manager,ida@maple.example,200& School 100 &\n"
    (ida,) = import_staff(text.encode("utf-16"), manager, NOW).invited
    assert (ida.name, ida.role.name) == ("Ida Stone", "school manager")
    assert sorted(ida.schools.values_list("organization_id", flat=True)) == ["100", "200"]


def test_a_school_name_that_two_have_is_none(manager: Member) -> None:
    School.objects.filter(district=manager.district).update(name="Central")
    imported = import_staff(
        (HEADER + "I,S,instructor,i@maple.example,Central\n").encode(), manager, NOW
    )
    assert imported.problems == [(2, "there is no school 'Central' in this district")]


def test_a_school_manager_invites_to_his_schools_only(manager: Member) -> None:
    head = a_member(manager.district, "head@maple.example", "school manager")
    head.schools.set(School.objects.filter(district=manager.district, organization_id="100"))
    text = (
        f"{HEADER}A,B,instructor,a@maple.example,100\nC,D,instructor,c@maple.example,200\n"
        "E,F,district manager,e@maple.example,\n"
    )
    imported = import_staff(text.encode(), head, NOW)
    assert [member.email for member in imported.invited] == ["a@maple.example"]
    assert imported.problems == [
        (3, "there is no school '200' among your schools"),
        (
            4,
            "you cannot give the role district manager; yours to give are school manager, instructor",
        ),
    ]


def test_too_many_lines_invite_nobody(manager: Member) -> None:
    rows = "".join(f"A,B,instructor,x{n}@maple.example,100\n" for n in range(MOST_ROWS + 1))
    with pytest.raises(CsvRejected, match="line 2,002 is row 2,001; send 2,000 at most"):
        import_staff((HEADER + rows).encode(), manager, NOW)
    assert not AccountMail.objects.exists()


def test_a_process_that_dies_leaves_nobody_half_invited(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = mails.queue_mail, []

    def dies(*arguments: object, **more: object) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise SystemExit
        real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(mails, "queue_mail", dies)
    with pytest.raises(SystemExit):
        import_staff(a_staff_file(200).encode(), manager, NOW)
    assert list(Member.objects.filter(district=manager.district)) == [manager]
    assert not AccountMail.objects.exists()
