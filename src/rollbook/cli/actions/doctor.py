"""Runs ``rollbook doctor``: diagnoses an installation."""

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
    """Run all checks and print their results; fail if there is an error."""
    if bool(arguments.cert) != bool(arguments.key):
        raise CommandError(
            "no_certificate", "use --cert and --key together, as with `rollbook serve`", USAGE
        )
    bootstrap.set_data_folder(arguments)
    variables = Variables(os.environ)
    variables.forget_wrong(os.environ)
    results = examine(opened(bootstrap.data_folder(), variables, arguments))
    levels = _print_json(results) if arguments.json else _print_text(results)
    return FAILED if Mark.ERROR in levels else OK


def _print_text(results: Iterable[tuple[str, Finding]]) -> list[Mark]:
    """Print each result as soon as it is known, because a check can take a while."""
    levels = []
    for name, result in results:
        levels.append(result.mark)
        print(f"{result.mark.ljust(_INDENT)}{name}: {result.what}", flush=True)
        if result.repair:
            print(f"{' ' * _INDENT}To do: {result.repair}", flush=True)
    print(f"\n{_summary(levels)}")
    return levels


def _summary(levels: list[Mark]) -> str:
    errors, warnings = levels.count(Mark.ERROR), levels.count(Mark.WARNING)
    if errors or warnings:
        return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}."
    return "No problems found."


def _print_json(results: Iterable[tuple[str, Finding]]) -> list[Mark]:
    all_results = list(results)
    levels = [result.mark for _, result in all_results]
    summary = {
        "healthy": Mark.ERROR not in levels,
        "errors": levels.count(Mark.ERROR),
        "warnings": levels.count(Mark.WARNING),
        "findings": [_to_json(name, result) for name, result in all_results],
    }
    print(output.to_json(summary))
    return levels


def _to_json(name: str, result: Finding) -> dict[str, str]:
    return {
        "part": name,
        "result": result.mark.lower(),
        "what": result.what,
        "to_do": result.repair,
    }
