"""Runs ``rollbook apply``: sets up districts as a file describes them."""

from argparse import Namespace
from dataclasses import asdict

from django.utils import timezone

from rollbook.cli.errors import FAILED, OK
from rollbook.cli.output import to_json
from rollbook.cli.registration import Bootstrap
from rollbook.operations.setup import file
from rollbook.operations.setup.apply import SetupChange
from rollbook.operations.setup.apply import apply as apply_entries
from rollbook.operations.setup.file import FileRefused
from rollbook.text import count_of


def apply(arguments: Namespace) -> int:
    """Change what differs from the file, or only print it."""
    is_plan = arguments.bootstrap is Bootstrap.DATABASE
    try:
        entries = file.read(arguments.file.read_bytes())
        changes = apply_entries(entries, timezone.now(), only_plan=is_plan)
    except FileRefused as error:
        return _refuse(arguments, list(map(str, error.problems)))
    if arguments.json:
        listed = list(map(asdict, changes))
        print(to_json({"applied": not is_plan, "changes": listed, "problems": []}))
        return OK
    _print_changes(changes, is_plan=is_plan)
    return OK


def _refuse(arguments: Namespace, problems: list[str]) -> int:
    if arguments.json:
        print(to_json({"applied": False, "changes": [], "problems": problems}))
        return FAILED
    for problem in problems:
        print(f"{arguments.file}, {problem}")
    print(f"\nNothing was changed: {count_of(len(problems), 'problem')}.")
    return FAILED


def _print_changes(changes: list[SetupChange], *, is_plan: bool) -> None:
    for change in changes:
        print(change)
    if not changes:
        print("Everything is as the file describes it; nothing was changed.")
    elif is_plan:
        print(f"\n{count_of(len(changes), 'change')} would be made. Nothing was changed.")
    else:
        print(f"\nMade {count_of(len(changes), 'change')}.")
