"""Roles: what members may do, in the standard roles and in those that the district makes for itself."""

from typing import Any

from django.http import HttpResponse, QueryDict

from rollbook.accounts import roles
from rollbook.accounts.models import Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.accounts.roles import InvalidRole
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.roles.forms import RoleForm, described


@member_page(Permission.MANAGE_ROLES)
def index(page_request: PageRequest) -> HttpResponse:
    every = [(role, described(role).partition(": ")[2]) for role in roles.of(page_request.district)]
    return page_request.render("roles/index.html", {"roles": every, "types": list(RoleType)})


@member_page(Permission.MANAGE_ROLES, methods=FORM)
def new(page_request: PageRequest, slug: str) -> HttpResponse:
    """A role of the type that the address names."""
    type_ = next((each for each in RoleType if each.replace(" ", "-") == slug), None)
    if type_ is None:
        return errors.not_found(page_request.request, page_request)
    form = RoleForm(type_, page_request.form_data)
    if form.is_valid():
        with form.collect_reasons():
            role = roles.make(page_request.member, type_, **_wanted(form))
            page_request.audit("make role", "ok", f"role {role.pk}: {', '.join(role.permissions)}")
            page_request.success(f"The role {role.name} can be given to members now.")
            return page_request.redirect("roles")
    return page_request.render_form("roles/detail.html", form, {"type": type_})


@member_page(Permission.MANAGE_ROLES, methods=FORM)
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    role = page_request.require(
        roles.found(page_request.district, key), "change role", f"role {key}"
    )
    form = RoleForm(RoleType(role.type), _sent(page_request, role), initial=_initial(role))
    if form.is_valid():
        with form.collect_reasons():
            roles.change(role, page_request.member, **_wanted(form))
            page_request.audit(
                "change role", "ok", f"role {role.pk}: {', '.join(role.permissions)}"
            )
            page_request.success(f"The role {role.name} is changed, for everybody who has it.")
            return page_request.redirect("roles")
        page_request.audit("change role", "refused", f"role {role.pk}")
    return page_request.render_form("roles/detail.html", form, {"type": role.type, "role": role})


@member_page(Permission.MANAGE_ROLES, methods=POST)
def remove(page_request: PageRequest, key: int) -> HttpResponse:
    role = page_request.require(
        roles.found(page_request.district, key), "remove role", f"role {key}"
    )
    try:
        roles.remove(role, page_request.member)
    except InvalidRole as refused:
        page_request.audit("remove role", "refused", f"role {key}")
        page_request.error(f"Nothing was removed: {refused}.")
    else:
        page_request.audit("remove role", "ok", f"role {key}")
        page_request.success(f"There is no role {role.name} any more.")
    return page_request.redirect("roles")


def _wanted(form: RoleForm) -> dict[str, Any]:
    said = form.cleaned_data
    return {
        "name": said["name"],
        "description": said["description"],
        "permissions": [Permission(each) for each in said["permissions"]],
    }


def _sent(page_request: PageRequest, role: Role) -> QueryDict | None:
    """What was typed; a standard role's name and description are not."""
    if page_request.form_data is None or not role.is_standard:
        return page_request.form_data
    sent = page_request.form_data.copy()
    sent["name"], sent["description"] = role.name, role.description
    return sent


def _initial(role: Role) -> dict[str, object]:
    granted = [each.value for each in role.granted]
    return {"name": role.name, "description": role.description, "permissions": granted}
