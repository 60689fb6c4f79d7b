"""Roles: the permissions of the standard roles, and the roles that a district adds itself."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import resolve_url

from rollbook.accounts import roles
from rollbook.accounts.models import Role
from rollbook.accounts.permissions import Permission, RoleType
from rollbook.accounts.roles import InvalidRole
from rollbook.districts.concurrent_edits import based_on
from rollbook.web.pages.account.confirmation import confirmed
from rollbook.web.pages.base import errors
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.roles.forms import RoleForm, permission_summary


@member_page(Permission.MANAGE_ROLES)
def index(page_request: PageRequest) -> HttpResponse:
    """List the roles with their permissions."""
    summaries = [(role, permission_summary(role)) for role in roles.roles_of(page_request.district)]
    return page_request.render("roles/index.html", {"roles": summaries, "types": list(RoleType)})


@member_page(Permission.MANAGE_ROLES, methods=FORM)
@confirmed
def new(page_request: PageRequest, slug: str) -> HttpResponse:
    """Add a role of the type in the address."""
    types_by_slug = {type_.replace(" ", "-"): type_ for type_ in RoleType}
    if slug not in types_by_slug:
        return errors.not_found(page_request.request, page_request)
    type_ = types_by_slug[slug]
    form = RoleForm(type_, page_request.form_data)
    if form.is_valid():
        with form.collect_reasons():
            role = roles.create_role(page_request.member, type_, **_role_fields(form))
            page_request.audit("add role", "ok", f"role {role.pk}: {', '.join(role.permissions)}")
            page_request.success(
                f"Role added: {role.name}. You can now assign it to staff members."
            )
            return page_request.redirect("roles")
    return page_request.render_form("roles/detail.html", form, {"type": type_})


@member_page(Permission.MANAGE_ROLES, methods=FORM)
@confirmed
def detail(page_request: PageRequest, key: int) -> HttpResponse:
    """Show a role, and change it."""
    role = page_request.require(
        roles.find_role(page_request.district, key), "change role", f"role {key}"
    )
    form_data = _form_data(page_request, role)
    form = RoleForm(RoleType(role.type), form_data, initial=_initial(role))
    if form.is_valid():
        unchanged = based_on(
            form.base_version,
            page_request.district,
            lambda _: _initial(Role.objects.get(pk=role.pk)),
        )
        with form.collect_reasons(), unchanged:
            roles.change(role, page_request.member, **_role_fields(form))
            page_request.audit(
                "change role", "ok", f"role {role.pk}: {', '.join(role.permissions)}"
            )
            page_request.success(
                f"Role saved: {role.name}. The change applies to everyone who has it."
            )
            return page_request.redirect("roles")
        page_request.audit("change role", "refused", f"role {role.pk}")
    return page_request.render_form("roles/detail.html", form, {"type": role.type, "role": role})


@member_page(Permission.MANAGE_ROLES, methods=POST)
@confirmed
def remove(page_request: PageRequest, key: int) -> HttpResponse:
    """Remove a role that no staff member has."""
    role = page_request.require(
        roles.find_role(page_request.district, key), "remove role", f"role {key}"
    )
    question = Question(
        f"Remove {role.name}?",
        (
            "This can’t be undone, but you can add a role with the same permissions again. "
            "A role that a staff member has isn’t removed.",
        ),
        f"Remove {role.name}",
        resolve_url("role", key),
    )
    if page := ask(page_request, question):
        return page
    try:
        roles.remove(role, page_request.member)
    except InvalidRole as error:
        page_request.audit("remove role", "refused", f"role {key}")
        page_request.error(f"The role wasn’t removed: {error}.")
    else:
        page_request.audit("remove role", "ok", f"role {key}")
        page_request.success(f"Role removed: {role.name}.")
    return page_request.redirect("roles")


def _role_fields(form: RoleForm) -> dict[str, Any]:
    """Return the fields of a valid form as arguments of ``roles.make`` and ``roles.change``."""
    fields = form.cleaned_data
    return {
        "name": fields["name"],
        "description": fields["description"],
        "permissions": [Permission(value) for value in fields["permissions"]],
    }


def _form_data(page_request: PageRequest, role: Role) -> QueryDict | None:
    """Return the form data, with the name and description of a standard role unchanged."""
    if page_request.form_data is None or not role.is_standard:
        return page_request.form_data
    form_data = page_request.form_data.copy()
    form_data["name"], form_data["description"] = role.name, role.description
    return form_data


def _initial(role: Role) -> dict[str, object]:
    permissions = [permission.value for permission in role.granted_permissions]
    return {"name": role.name, "description": role.description, "permissions": permissions}
