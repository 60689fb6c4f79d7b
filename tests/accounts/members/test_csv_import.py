"""Import of members from a staff file."""

import pytest
from django.core import mail

from rollbook.accounts import mails
from rollbook.accounts.members.csv_import import MAX_ROWS, import_staff
from rollbook.accounts.models import AccountMail, Member
from rollbook.districts.models import School
from rollbook.studentfile.small_csv import CsvRejected
from tests.accounts.browser import NOW
from tests.conftest import make_member

HEADER = "FIRST_NAME,LAST_NAME,ASSIGNED_ROLE,EMAIL,SCHOOLS\n"

WRONG = {
    3: ("Cy,Loe,king,cy@maple.example,100", "there is no role 'king'; the roles are"),
    20: ("Di,Loe,instructor,not an address,100", "'not an address' isn't an email address"),
    41: (
        "Ed,Loe,instructor,ed@maple.example,",
        "the role instructor needs a school; choose at least one",
    ),
    60: (
        "Fay,Loe,instructor,fay@maple.example,100&900",
        "there is no school '900' in this district",
    ),
    81: (
        "Gil,Loe,district manager,gil@maple.example,100",
        "is for the whole district; don't choose a school",
    ),
    100: (",Loe,instructor,hal@maple.example,100", "the first name is missing"),
    121: ("Ida,Loe,instructor,ida@,100", "'ida@' isn't an email address"),
    140: (
        "Jo,Loe,instructor,m5@maple.example,100",
        "m5@maple.example is already in line 7; keep one of them",
    ),
    161: ("Kit,Loe,instructor,kit@maple.example", "there must be 5 cells, not 4"),
    180: (
        "Lu,Loe,instructor,OPS@maple.example,100",
        "ops@maple.example is already a member, with other data",
    ),
}


def a_staff_file(lines: int) -> str:
    """Return a file with this many rows, including those in ``WRONG``."""
    rows = [
        f"Mia,Lane,Instructor,M{n}@maple.example,{'100' if n % 2 else 'school 200'}"
        for n in range(lines)
    ]
    for line, (text, _) in WRONG.items():
        rows[line - 2] = text
    return HEADER + "\n".join(rows) + "\n"


def test_wrong_rows_are_reported_and_all_others_invited_once(
    manager: Member, neighbor: Member
) -> None:
    imported = import_staff(a_staff_file(200).encode("utf-8-sig"), manager, NOW)
    assert (len(imported.invited), imported.existing_count) == (190, 0)
    assert [line for line, _ in imported.problems] == list(WRONG)
    for (_, text), (_, expected) in zip(imported.problems, WRONG.values(), strict=True):
        assert expected in text
    while mails.send_due():
        pass
    assert len({message.to[0] for message in mail.outbox}) == len(mail.outbox) == 190


def test_a_fixed_file_invites_only_the_remaining_people(manager: Member, neighbor: Member) -> None:
    import_staff(a_staff_file(200).encode(), manager, NOW)
    again = import_staff(a_staff_file(200).replace(",king,", ",instructor,").encode(), manager, NOW)
    assert (len(again.invited), again.existing_count, len(again.problems)) == (1, 190, 9)
    assert AccountMail.objects.count() == 191


def test_members_get_role_and_schools(manager: Member) -> None:
    text = HEADER + "Ida,Stone,School Manager,ida@maple.example,200& School 100 &\n"
    (ida,) = import_staff(text.encode("utf-16"), manager, NOW).invited
    assert (ida.name, ida.role.name) == ("Ida Stone", "school manager")
    assert sorted(ida.schools.values_list("organization_id", flat=True)) == ["100", "200"]


def test_an_ambiguous_school_name_is_unknown(manager: Member) -> None:
    School.objects.filter(district=manager.district).update(name="Central")
    imported = import_staff(
        (HEADER + "I,S,instructor,i@maple.example,Central\n").encode(), manager, NOW
    )
    assert imported.problems == [(2, "there is no school 'Central' in this district")]


def test_a_school_manager_invites_only_to_their_schools(manager: Member) -> None:
    head = make_member(manager.district, "head@maple.example", "school manager")
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
            "you can't assign the role district manager; you can assign: school manager,"
            " instructor",
        ),
    ]


def test_a_file_with_too_many_rows_is_rejected(manager: Member) -> None:
    rows = "".join(f"A,B,instructor,x{n}@maple.example,100\n" for n in range(MAX_ROWS + 1))
    with pytest.raises(
        CsvRejected, match="line 2,002 is row 2,001; a staff file can have at most 2,000"
    ):
        import_staff((HEADER + rows).encode(), manager, NOW)
    assert not AccountMail.objects.exists()


def test_nobody_is_invited_if_the_process_dies(
    manager: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = mails.queue_mail, []

    def dies(*arguments: object, **more: object) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise SystemExit
        original(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(mails, "queue_mail", dies)
    with pytest.raises(SystemExit):
        import_staff(a_staff_file(200).encode(), manager, NOW)
    assert list(Member.objects.filter(district=manager.district)) == [manager]
    assert not AccountMail.objects.exists()


@pytest.mark.statement("S21")
def test_a_file_does_not_reveal_who_is_a_member_elsewhere(
    manager: Member, neighbor: Member
) -> None:
    text = HEADER + f"Eve,Doe,instructor,{neighbor.email},100\nAl,Lee,instructor,al@x.example,100\n"
    result = import_staff(text.encode(), manager, NOW)
    assert result.problems == []
    assert [member.email for member in result.invited] == [neighbor.email, "al@x.example"]
