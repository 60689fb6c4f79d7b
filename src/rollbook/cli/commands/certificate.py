"""Registers ``rollbook certificate``."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from rollbook.cli.registration import (
    Commands,
    add_certificates_option,
    add_command,
    add_command_group,
    add_json_option,
)


def register(commands: Commands) -> None:
    """Register ``certificate list``, ``show``, ``save`` and ``verify``."""
    group = add_command_group(
        commands, "certificate", "Show and verify certificates of destruction."
    )
    listing = add_command(
        group,
        "list",
        _run_list,
        "List what was destroyed, and what is being destroyed now.",
    )
    add_json_option(listing)
    showing = add_command(group, "show", _run_show, "Print a certificate.")
    _add_number(showing)
    add_json_option(showing)
    saving = add_command(group, "save", _run_save, "Save a certificate as JSON and as text.")
    _add_number(saving)
    add_certificates_option(saving)
    _register_verify(group)


def _register_verify(group: Commands) -> None:
    command = add_command(
        group,
        "verify",
        _run_verify,
        "Check that a certificate is unchanged and was signed by this installation.",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="the .json file")
    command.add_argument(
        "--student-id",
        metavar="STUDENT_ID",
        help="also check that it is about this student; certificates don't contain IDs",
    )


def _add_number(command: ArgumentParser) -> None:
    command.add_argument(
        "number", type=int, metavar="NUMBER", help="number of the certificate, as listed"
    )


def _run_list(arguments: Namespace) -> int:
    from rollbook.cli.actions.certificate import list_certificates

    return list_certificates(arguments)


def _run_show(arguments: Namespace) -> int:
    from rollbook.cli.actions.certificate import show

    return show(arguments)


def _run_save(arguments: Namespace) -> int:
    from rollbook.cli.actions.certificate import save

    return save(arguments)


def _run_verify(arguments: Namespace) -> int:
    from rollbook.cli.actions.certificate import verify

    return verify(arguments)
