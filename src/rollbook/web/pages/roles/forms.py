"""The form of a role, and a summary of what a role allows."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.text import capfirst

from rollbook.accounts.models import Role
from rollbook.accounts.permissions import PERMISSION_DESCRIPTIONS, POSSIBLE_PERMISSIONS, RoleType
from rollbook.web.pages.base.forms import EditForm


class RoleForm(EditForm):
    """The name, description and permissions of a role."""

    marks_optional = True

    name = forms.CharField(label="Name")
    description = forms.CharField(label="Description", required=False)

    def __init__(self, type_: RoleType, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        meanings = PERMISSION_DESCRIPTIONS[type_]
        self.fields["permissions"] = forms.MultipleChoiceField(
            label="Permissions",
            required=False,
            choices=[
                (permission.value, capfirst(meanings[permission]))
                for permission in POSSIBLE_PERMISSIONS[type_]
            ],
            widget=forms.CheckboxSelectMultiple,
        )


def permission_summary(role: Role) -> str:
    """Return the permissions of a role: ``sees the students linked to them``."""
    return ", ".join(_granted_meanings(role)) or "can only sign in"


def role_summary(role: Role) -> str:
    """Return a role with its permissions: ``Instructor: sees the students linked to them``."""
    return f"{capfirst(role.name)}: {permission_summary(role)}"


def _granted_meanings(role: Role) -> Iterator[str]:
    type_ = RoleType(role.type)
    for permission in POSSIBLE_PERMISSIONS[type_]:
        if permission in role.granted_permissions:
            yield PERMISSION_DESCRIPTIONS[type_][permission]
