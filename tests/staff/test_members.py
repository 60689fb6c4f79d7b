"""How a member is added, and who gets the results."""

import pytest
from django.contrib.auth.hashers import check_password

from rollbook.roster.models import District
from rollbook.staff.members import MemberRefused, NotAMember, add_member, receivers, set_receivers
from rollbook.staff.models import Member
from tests.conftest import PASSWORD, a_member


def test_a_member_is_added_with_a_folded_login_and_a_hashed_password(maple: District) -> None:
    member = add_member(maple, " Ops@Maple.Example", " Ana ", "Ruiz", "district manager", PASSWORD + "\n")
    assert (member.email, member.name, member.is_active) == ("ops@maple.example", "Ana Ruiz", True)
    assert check_password(PASSWORD, member.password)


def test_every_reason_against_a_member_is_told_at_once(maple: District) -> None:
    with pytest.raises(MemberRefused) as caught:
        add_member(maple, "not an address", "", "Ruiz\nBcc: x@y.example", "king", "short")
    assert len(caught.value.reasons) == 5
    assert "short" not in str(caught.value).replace("shorter", "")
    assert not Member.objects.exists()


def test_an_address_in_use_is_refused_without_telling_where(maple: District, neighbour: Member) -> None:
    with pytest.raises(MemberRefused) as caught:
        add_member(maple, neighbour.email.upper(), "Eve", "Doe", "district manager", PASSWORD)
    assert caught.value.reasons == ["ops@cedar.example cannot be added: it is in use as a login"]


@pytest.mark.parametrize(
    "email", ["a@b.example\nBcc: c@d.example", "a@b.example,c@d.example", "a" * 250 + "@b.example"]
)
def test_an_address_that_could_carry_a_second_one_is_refused(maple: District, email: str) -> None:
    with pytest.raises(MemberRefused):
        add_member(maple, email, "Ana", "Ruiz", "district manager", PASSWORD)


def test_the_results_go_to_those_who_were_named_and_no_others(manager: Member) -> None:
    other = a_member(manager.district, "it@maple.example", "instructor")
    assert set_receivers(manager.district, [" OPS@maple.example"]) == [manager]
    assert set_receivers(manager.district, ["it@maple.example"]) == [other] == receivers(manager.district)


def test_results_never_go_to_a_stranger_a_neighbour_or_a_leaver(manager: Member, neighbour: Member) -> None:
    set_receivers(manager.district, [manager.email])
    a_member(manager.district, "left@maple.example")
    Member.objects.filter(email="left@maple.example").update(is_active=False)
    for email in ("who@example.org", neighbour.email, "left@maple.example"):
        with pytest.raises(NotAMember, match=email):
            set_receivers(manager.district, [manager.email, email])
    assert receivers(manager.district) == [manager]


def test_who_becomes_inactive_gets_no_results_any_more(manager: Member) -> None:
    set_receivers(manager.district, [manager.email])
    Member.objects.update(is_active=False)
    assert receivers(manager.district) == []
