"""The form of a role, and what a role allows, in words."""

from typing import Any

from django import forms
from django.utils.text import capfirst

from rollbook.accounts.models import Role
from rollbook.accounts.permissions import MEANINGS, POSSIBLE, RoleType
from rollbook.web.pages.base.forms import FormWithReasons


class RoleForm(FormWithReasons):
    """What a role is called, and may do."""

    name = forms.CharField(label="Name")
    description = forms.CharField(label="Description", required=False)

    def __init__(self, type_: RoleType, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["permissions"] = forms.MultipleChoiceField(
            label=f"What a {type_} with this role may do",
            required=False,
            choices=[(each.value, capfirst(MEANINGS[type_][each])) for each in POSSIBLE[type_]],
            widget=forms.CheckboxSelectMultiple,
        )


def described(role: Role) -> str:
    """``Instructor: sees the students linked to them``."""
    meanings = MEANINGS[RoleType(role.type)]
    may = ", ".join(
        meanings[each] for each in POSSIBLE[RoleType(role.type)] if each in role.granted
    )
    return f"{capfirst(role.name)}: {may or 'nothing but to sign in'}"
