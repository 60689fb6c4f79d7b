"""Runs ``rollbook update approve`` and ``discard``: decide about a plan that waits."""

from argparse import Namespace

from django.utils import timezone

from rollbook.cli import output
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.lookup import get_district
from rollbook.districts.suspension import DistrictSuspended
from rollbook.text import join_words
from rollbook.updates.models import UpdateJob
from rollbook.updates.planning import decisions
from rollbook.updates.planning.decisions import Decider, NotDecided


def approve(arguments: Namespace) -> int:
    """Approve a plan, with or without some schools."""
    district, now = get_district(arguments.district), timezone.now()
    decider = Decider(None, note=arguments.note)
    without = arguments.without or []
    try:
        update = decisions.approve(
            district, arguments.number, arguments.plan, decider, now, without
        )
    except (NotDecided, DistrictSuspended) as error:
        raise _refused(error) from None
    left_out = f", without {join_words(sorted(without))}" if without else ""
    _print(arguments, update, f"Approved the plan of update {update.number}{left_out}.")
    return OK


def discard(arguments: Namespace) -> int:
    """Discard a plan."""
    district, now = get_district(arguments.district), timezone.now()
    decider = Decider(None, note=arguments.note)
    try:
        update = decisions.discard(district, arguments.number, arguments.plan, decider, now)
    except (NotDecided, DistrictSuspended) as error:
        raise _refused(error) from None
    _print(arguments, update, f"Discarded the plan of update {update.number}.")
    return OK


def _refused(error: NotDecided | DistrictSuspended) -> CommandError:
    code = error.code if isinstance(error, NotDecided) else "suspended"
    return CommandError(code, str(error))


def _print(arguments: Namespace, update: UpdateJob, line: str) -> None:
    if arguments.json:
        print(output.to_json({"update": update.number, "state": update.state}))
    else:
        print(line)
