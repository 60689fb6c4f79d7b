"""Show, try and save limits and their profiles."""

from dataclasses import replace

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import resolve_url

from rollbook.accounts.permissions import Permission
from rollbook.text import format_date
from rollbook.updates.planning import limit_changes, limit_sets
from rollbook.updates.planning.limit_document import MAX_PROFILES, LimitDocument, Profile
from rollbook.updates.planning.limit_sets import CurrentLimits
from rollbook.updates.planning.limits import InvalidLimits
from rollbook.updates.planning.rehearsal import rehearse, rehearse_limits
from rollbook.validation import ValidationFailed
from rollbook.web.pages.account.confirmation import ask_for_proof, confirmed
from rollbook.web.pages.base.questions import Question, ask
from rollbook.web.pages.base.view import FORM, POST, PageRequest, member_page
from rollbook.web.pages.limits.forms import (
    LimitsForm,
    ProfileForm,
    RemoveProfileForm,
    initial,
    initial_profile,
    table_values,
)
from rollbook.web.pages.limits.index_page import render_index
from rollbook.web.pages.limits.page_data import Trial, limit_texts


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def index(page_request: PageRequest) -> HttpResponse:
    """Show the limits, try them on past updates, and save them."""
    current = limit_sets.find_current(page_request.district.pk)
    form = LimitsForm(page_request.form_data, initial=initial(current.document, current.version))
    if not form.is_valid():
        return render_index(page_request, current, form)
    document = form.document(current.document)
    if _is_trial(page_request):
        trial = Trial.of(rehearse(page_request.district, document, page_request.now))
        return render_index(page_request, current, form, {"trial": trial}, status=200)
    if question := ask_for_proof(page_request):
        return question
    with form.collect_reasons():
        _save(page_request, document, form.cleaned_data["version"], "Limits saved")
        return page_request.redirect("limits")
    return render_index(page_request, current, form)


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def new_profile(page_request: PageRequest) -> HttpResponse:
    """Add a profile, which begins with the standing limits."""
    current = limit_sets.find_current(page_request.district.pk)
    values = {**table_values(current.document.limits), "version": current.version}
    form = ProfileForm(page_request.form_data, initial=values)
    return _handle_profile(page_request, form, current.document.profiles, None)


@member_page(Permission.MANAGE_SETTINGS, methods=FORM)
def profile(page_request: PageRequest, number: int) -> HttpResponse:
    """Show a profile, and change it."""
    current, found = _find_profile(page_request, number)
    form = ProfileForm(page_request.form_data, initial=initial_profile(found, current.version))
    return _handle_profile(page_request, form, current.document.profiles, number)


@member_page(Permission.MANAGE_SETTINGS, methods=POST)
@confirmed
def remove_profile(page_request: PageRequest, number: int) -> HttpResponse:
    """Remove a profile."""
    current, found = _find_profile(page_request, number)
    form = RemoveProfileForm(page_request.form_data)
    if not form.is_valid():
        page_request.error("The profile wasn’t removed. Try again on this page.")
        return page_request.redirect("limits")
    if page := ask(page_request, _before_removal(found)):
        return page
    others = tuple(each for each in current.document.profiles if each is not found)
    document = replace(current.document, profiles=others)
    try:
        based_on = form.cleaned_data["version"]
        _save(page_request, document, based_on, f"Profile removed: {found.name}")
    except ValidationFailed as failed:
        page_request.error(f"The profile wasn’t removed: {failed}.")
    return page_request.redirect("limits")


def _before_removal(profile: Profile) -> Question:
    """Return the question before a profile is removed."""
    days = f"{format_date(profile.first)} to {format_date(profile.last)}"
    return Question(
        f"Remove the profile {profile.name}?",
        (
            f"The standing limits apply from {days} then. The present version of the limits still "
            "shows the profile, but to use it again you have to enter it again.",
        ),
        f"Remove {profile.name}",
        resolve_url("limits"),
    )


@member_page(Permission.MANAGE_SETTINGS)
def version(page_request: PageRequest, version: int) -> HttpResponse:
    """Show a version of the limits."""
    limit_set = page_request.require(
        limit_sets.find_version(page_request.district.pk, version), "limits", f"version {version}"
    )
    document = LimitDocument.from_json(limit_set.document)
    context = {
        "limit_set": limit_set,
        "document": document,
        "rows": limit_texts(document.limits),
        "profiles": [(each, limit_texts(each.limits)) for each in document.profiles],
    }
    return page_request.render("limits/version.html", context)


def _find_profile(page_request: PageRequest, number: int) -> tuple[CurrentLimits, Profile]:
    """Return the limits, and their profile with this number, counted from 1.

    Raises:
        Http404: There is none.
    """
    current = limit_sets.find_current(page_request.district.pk)
    found = dict(enumerate(current.document.profiles, start=1)).get(number)
    return current, page_request.require(found, "limits", f"profile {number}")


def _handle_profile(
    page_request: PageRequest,
    form: ProfileForm,
    profiles: tuple[Profile, ...],
    number: int | None,
) -> HttpResponse:
    """Show a profile; try or save it if the form was submitted.

    Args:
        page_request: The request.
        form: The form of the profile.
        profiles: The profiles that are stored.
        number: The number of this one; None: it is new.
    """
    context = {"number": number, "name": profiles[number - 1].name if number else ""}
    if not form.is_valid():
        return page_request.render_form("limits/profile.html", form, context)
    if _is_trial(page_request):
        result = rehearse_limits(page_request.district, form.limits(), page_request.now)
        trial = {"form": form, "trial": Trial.of(result), **context}
        return page_request.render("limits/profile.html", trial)
    if question := ask_for_proof(page_request):
        return question
    with form.collect_reasons():
        _save_profile(page_request, form, number)
        return page_request.redirect("limits")
    return page_request.render_form("limits/profile.html", form, context)


def _save_profile(page_request: PageRequest, form: ProfileForm, number: int | None) -> None:
    """Save a profile.

    Raises:
        ValidationFailed: It isn't possible, or the limits have been changed meanwhile.
    """
    document = limit_sets.find_current(page_request.district.pk).document
    profiles, edited = list(document.profiles), form.profile()
    if number is not None and number <= len(profiles):
        profiles[number - 1] = edited
    elif len(profiles) < MAX_PROFILES:
        profiles.append(edited)
    else:
        raise ValidationFailed([f"there are {MAX_PROFILES} profiles already; remove one first"])
    document = replace(document, profiles=tuple(profiles))
    _save(page_request, document, form.cleaned_data["version"], f"Profile saved: {edited.name}")


def _is_trial(page_request: PageRequest) -> bool:
    return page_request.request.POST.get("do") == "try"


def _save(
    page_request: PageRequest, document: LimitDocument, based_on: int | None, message: str
) -> None:
    """Save the limits, which is recorded in the audit, and show a message on the next page.

    Raises:
        ValidationFailed: They aren't possible, or have been changed meanwhile.
    """
    by, now = page_request.member, page_request.now
    try:
        possible = LimitDocument.from_json(document.as_json())
        with transaction.atomic():
            made = limit_changes.change(page_request.district, possible, by, now, based_on)
            if made:
                page_request.audit(limit_changes.ACTION, "ok", str(made))
    except InvalidLimits as error:
        raise ValidationFailed([str(error)]) from None
    except ValidationFailed:
        page_request.audit(limit_changes.ACTION, "refused", "changed meanwhile")
        raise
    if made:
        page_request.success(f"{message}. This is version {made.version}.")
    else:
        page_request.success("No limits were changed.")
