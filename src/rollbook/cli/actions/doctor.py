"""Runs ``rollbook doctor``: diagnoses an installation."""

import os
from argparse import Namespace
from collections.abc import Iterable

from rollbook.cli import bootstrap, output
from rollbook.cli.errors import FAILED, OK, USAGE, CommandError
from rollbook.cli.terminal import paint
from rollbook.doctor.environment import Variables
from rollbook.doctor.installation import load_installation
from rollbook.doctor.result import CheckResult, Level
from rollbook.doctor.runner import run_checks
from rollbook.text import count_of

_INDENT = 9
_TONES = {Level.OK: "good", Level.WARNING: "warn", Level.ERROR: "bad", Level.SKIPPED: "quiet"}


def doctor(arguments: Namespace) -> int:
    """Run all checks and print their results; fail if there is an error."""
    if bool(arguments.cert) != bool(arguments.key):
        raise CommandError(
            "no_certificate", "use --cert and --key together, as with `rollbook serve`", USAGE
        )
    bootstrap.set_data_folder(arguments)
    variables = Variables(os.environ)
    variables.remove_wrong(os.environ)
    bootstrap.require_own_folder(arguments)
    results = run_checks(load_installation(bootstrap.data_folder(), variables, arguments))
    levels = _print_json(results) if arguments.json else _print_text(results)
    return FAILED if Level.ERROR in levels else OK


def _print_text(results: Iterable[tuple[str, CheckResult]]) -> list[Level]:
    """Print each result as soon as it is known, because a check can take a while."""
    levels = []
    for name, result in results:
        levels.append(result.level)
        level = paint(result.level.ljust(_INDENT), _TONES[result.level])
        print(f"{level}{name}: {result.what}", flush=True)
        if result.fix:
            print(f"{' ' * _INDENT}To do: {result.fix}", flush=True)
    print(f"\n{_summary(levels)}")
    return levels


def _summary(levels: list[Level]) -> str:
    errors, warnings = levels.count(Level.ERROR), levels.count(Level.WARNING)
    if errors or warnings:
        return f"{count_of(errors, 'error')}, {count_of(warnings, 'warning')}."
    return "No problems found."


def _print_json(results: Iterable[tuple[str, CheckResult]]) -> list[Level]:
    all_results = list(results)
    levels = [result.level for _, result in all_results]
    summary = {
        "healthy": Level.ERROR not in levels,
        "errors": levels.count(Level.ERROR),
        "warnings": levels.count(Level.WARNING),
        "findings": [_to_json(name, result) for name, result in all_results],
    }
    print(output.to_json(summary))
    return levels


def _to_json(name: str, result: CheckResult) -> dict[str, str]:
    return {
        "part": name,
        "result": result.level.lower(),
        "what": result.what,
        "to_do": result.fix,
    }
