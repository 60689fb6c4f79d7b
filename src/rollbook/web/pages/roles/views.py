"""Roles: what members may do, in the standard roles and in those that the district makes for itself."""

from typing import Any

from django.http import HttpResponse, QueryDict

from rollbook.web.pages.base import errors
from rollbook.web.pages.roles.forms import RoleForm, described
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.accounts import roles
from rollbook.accounts.models import Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.accounts.roles import InvalidRole


@member_page(Permission.MANAGE_ROLES)
def index(visit: PageRequest) -> HttpResponse:
    every = [(role, described(role).partition(": ")[2]) for role in roles.of(visit.district)]
    return visit.render("roles/index.html", {"roles": every, "types": list(RoleType)})


@member_page(Permission.MANAGE_ROLES, methods=FORM)
def new(visit: PageRequest, slug: str) -> HttpResponse:
    """A role of the type that the address names."""
    type_ = next((each for each in RoleType if each.replace(" ", "-") == slug), None)
    if type_ is None:
        return errors.not_found(visit.request, visit)
    form = RoleForm(type_, visit.form_data)
    if form.is_valid():
        with form.collect_reasons():
            role = roles.make(visit.member, type_, **_wanted(form))
            visit.audit("make role", "ok", f"role {role.pk}: {', '.join(role.permissions)}")
            visit.success(f"The role {role.name} can be given to members now.")
            return visit.redirect("roles")
    return visit.render_form("roles/detail.html", form, {"type": type_})


@member_page(Permission.MANAGE_ROLES, methods=FORM)
def detail(visit: PageRequest, key: int) -> HttpResponse:
    role = visit.require(roles.found(visit.district, key), "change role", f"role {key}")
    form = RoleForm(RoleType(role.type), _sent(visit, role), initial=_initial(role))
    if form.is_valid():
        with form.collect_reasons():
            roles.change(role, visit.member, **_wanted(form))
            visit.audit("change role", "ok", f"role {role.pk}: {', '.join(role.permissions)}")
            visit.success(f"The role {role.name} is changed, for everybody who has it.")
            return visit.redirect("roles")
        visit.audit("change role", "refused", f"role {role.pk}")
    return visit.render_form("roles/detail.html", form, {"type": role.type, "role": role})


@member_page(Permission.MANAGE_ROLES, methods=POST)
def remove(visit: PageRequest, key: int) -> HttpResponse:
    role = visit.require(roles.found(visit.district, key), "remove role", f"role {key}")
    try:
        roles.remove(role, visit.member)
    except InvalidRole as refused:
        visit.audit("remove role", "refused", f"role {key}")
        visit.error(f"Nothing was removed: {refused}.")
    else:
        visit.audit("remove role", "ok", f"role {key}")
        visit.success(f"There is no role {role.name} any more.")
    return visit.redirect("roles")


def _wanted(form: RoleForm) -> dict[str, Any]:
    said = form.cleaned_data
    return {
        "name": said["name"],
        "description": said["description"],
        "permissions": [Permission(each) for each in said["permissions"]],
    }


def _sent(visit: PageRequest, role: Role) -> QueryDict | None:
    """What was typed; a standard role's name and description are not."""
    if visit.form_data is None or not role.is_standard:
        return visit.form_data
    sent = visit.form_data.copy()
    sent["name"], sent["description"] = role.name, role.description
    return sent


def _initial(role: Role) -> dict[str, object]:
    granted = [each.value for each in role.granted]
    return {"name": role.name, "description": role.description, "permissions": granted}
