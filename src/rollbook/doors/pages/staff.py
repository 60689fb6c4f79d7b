"""Staff: who may sign in, and inviting another member."""

from django.http import HttpResponse

from rollbook.doors.pages import errors
from rollbook.doors.pages.forms import Invitation
from rollbook.doors.pages.visit import FORM, POST, Visit, page
from rollbook.roster.models import School
from rollbook.staff import members
from rollbook.staff.members import MemberRefused, MemberState
from rollbook.staff.models import Member
from rollbook.staff.permissions import Permission, is_district_wide


@page(Permission.MANAGE_STAFF)
def listed(visit: Visit) -> HttpResponse:
    staff = [(one, is_district_wide(one.member.role)) for one in members.listed(visit.district)]
    return visit.render("pages/staff.html", {"staff": staff, "INVITED": MemberState.INVITED})


@page(Permission.MANAGE_STAFF, methods=FORM)
def invite(visit: Visit) -> HttpResponse:
    """Another member of this district, who is mailed a link to choose a password by."""
    schools = School.objects.filter(district=visit.district).order_by("name", "organization_id")
    form = Invitation(schools, visit.request.POST if visit.request.method == "POST" else None)
    member = _invited(visit, form) if form.is_valid() else None
    if member:
        return _on_its_way(visit, member)
    return visit.render("pages/staff_invite.html", {"form": form}, status=422 if form.is_bound else 200)


@page(Permission.MANAGE_STAFF, methods=POST)
def invite_again(visit: Visit, key: int) -> HttpResponse:
    member = members.found(visit.district, key)
    if member is None:
        visit.note("invite again", "not found", f"member {key}")
        return errors.not_found(visit.request, visit)
    try:
        members.invite_again(member, visit.member, visit.now)
    except MemberRefused as refused:
        visit.note("invite again", "refused", f"member {key}")
        visit.complain(f"No invitation was sent: {'; '.join(refused.reasons)}.")
        return visit.redirect("staff")
    visit.note("invite again", "ok", f"member {key}")
    return _on_its_way(visit, member)


def _invited(visit: Visit, form: Invitation) -> Member | None:
    """The new member; if there is none, the form says why."""
    try:
        member = members.invite(visit.district, **form.cleaned_data, inviter=visit.member, now=visit.now)
    except MemberRefused as refused:
        form.refuse(None, refused.reasons)
        return None
    visit.note("invite", "ok", f"member {member.pk}, {member.role}")
    return member


def _on_its_way(visit: Visit, member: Member) -> HttpResponse:
    visit.say(f"An invitation is on its way to {member.email}.")
    return visit.redirect("staff")
