"""What is asked before something is done to a staff member."""

from django.shortcuts import resolve_url

from rollbook.accounts.models import Member
from rollbook.web.pages.base.questions import Question


def deactivate(member: Member) -> Question:
    """Return the question before a staff member is deactivated."""
    name = member.first_name
    return Question(
        f"Deactivate {member.name}?",
        (
            f"{name} won’t be able to sign in, here or from a script. Sessions, emailed links and "
            "tokens end right away: nightly scripts that use them stop working.",
            f"You can reactivate {name} later. Their tokens stay revoked.",
        ),
        f"Deactivate {member.name}",
        resolve_url("member", member.pk),
    )


def revoke_tokens(member: Member) -> Question:
    """Return the question before all tokens of a staff member are revoked."""
    return Question(
        f"Revoke all tokens of {member.name}?",
        (
            "Scripts that use them stop working right away. This can’t be undone; "
            f"{member.first_name} can create other tokens.",
        ),
        f"Revoke all tokens of {member.name}",
        resolve_url("member", member.pk),
    )


def turn_off_second_factor(member: Member) -> Question:
    """Return the question before two-step verification of a staff member is turned off."""
    return Question(
        f"Turn off two-step verification for {member.name}?",
        (
            f"Only their password protects the account then. Make sure that {member.first_name} "
            "has asked for this: call back on a number that you know.",
            "Their sessions end, and we email them. They can turn it on again themselves.",
        ),
        f"Turn off two-step verification for {member.name}",
        resolve_url("member", member.pk),
    )
