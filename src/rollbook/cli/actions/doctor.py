"""``rollbook doctor``: what is wrong with an installation, and how to mend it."""

import os
from argparse import Namespace
from collections.abc import Iterable

from rollbook.cli import bootstrap, output
from rollbook.cli.errors import FAILED, OK, USAGE, CommandError
from rollbook.doctor.examining import examine
from rollbook.doctor.findings import Finding, Mark
from rollbook.doctor.installation import opened
from rollbook.doctor.variables import Variables
from rollbook.updates.wording import counted

_INDENT = 9


def doctor(arguments: Namespace) -> int:
    """Look at everything; 1 if there is an error."""
    if bool(arguments.cert) != bool(arguments.key):
        raise CommandError(
            "no_certificate", "give both --cert and --key, as `rollbook serve` gets them", USAGE
        )
    bootstrap.set_data_folder(arguments)
    variables = Variables(os.environ)
    variables.forget_wrong(os.environ)
    found = examine(opened(bootstrap.folder(), variables, arguments))
    marks = _told_as_json(found) if arguments.json else _told(found)
    return FAILED if Mark.ERROR in marks else OK


def _told(found: Iterable[tuple[str, Finding]]) -> list[Mark]:
    """Each as it is found: a look may take its time."""
    marks = []
    for name, finding in found:
        marks.append(finding.mark)
        print(f"{finding.mark.ljust(_INDENT)}{name}: {finding.what}", flush=True)
        if finding.repair:
            print(f"{' ' * _INDENT}To do: {finding.repair}", flush=True)
    print(f"\n{_sum(marks)}")
    return marks


def _sum(marks: list[Mark]) -> str:
    errors, warnings = marks.count(Mark.ERROR), marks.count(Mark.WARNING)
    if errors or warnings:
        return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}."
    return "All is well."


def _told_as_json(found: Iterable[tuple[str, Finding]]) -> list[Mark]:
    all_found = list(found)
    marks = [finding.mark for _, finding in all_found]
    told = {
        "healthy": Mark.ERROR not in marks,
        "errors": marks.count(Mark.ERROR),
        "warnings": marks.count(Mark.WARNING),
        "findings": [
            {
                "part": name,
                "result": finding.mark.lower(),
                "what": finding.what,
                "to_do": finding.repair,
            }
            for name, finding in all_found
        ],
    }
    print(output.to_json(told))
    return marks
