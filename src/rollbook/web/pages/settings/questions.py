"""What is asked before settings are saved that remove data for good."""

from collections.abc import Iterator

from django.shortcuts import resolve_url

from rollbook.accounts.district_settings import (
    CAN_BE_OFF,
    LIMITS,
    InvalidSettings,
    Settings,
    require_valid,
)
from rollbook.web.pages.base.questions import Question
from rollbook.web.pages.settings.forms import SettingsForm


def before_removing(before: Settings, after: Settings) -> Question | None:
    """Return the question before something is kept for a shorter time.

    None if nothing is, or if the settings can't be saved.
    """
    shorter = list(_shorter(before, after))
    if not shorter or not _can_be_saved(after):
        return None
    return Question(
        "Keep data for a shorter time?",
        (
            "What is older is removed within a day. It can’t be restored here, only from your "
            "Rollbook administrator’s backups.",
        ),
        "Save settings",
        resolve_url("settings"),
        shorter,
    )


def _can_be_saved(settings: Settings) -> bool:
    try:
        require_valid(settings)
    except InvalidSettings:
        return False
    return True


def _shorter(before: Settings, after: Settings) -> Iterator[str]:
    """Yield what is kept for a shorter time, with both times."""
    for name in LIMITS:
        old, new = getattr(before, name), getattr(after, name)
        was_kept = old == 0 and name in CAN_BE_OFF
        is_kept = new == 0 and name in CAN_BE_OFF
        if is_kept or not (was_kept or new < old):
            continue
        was = "no limit" if was_kept else f"{old:,}"
        yield f"{SettingsForm.base_fields[name].label}: {new:,} instead of {was}"
