"""Runs ``rollbook keys``: lists, rotates and replaces secret keys."""

from argparse import Namespace

from django.conf import settings
from django.utils import timezone

from rollbook.cli.audit_log import record
from rollbook.cli.confirmation import require_typed
from rollbook.cli.errors import OK, CommandError
from rollbook.cli.output import table, to_json
from rollbook.cli.printed_text import add_facts
from rollbook.operations.keys import catalog, loss, rotation
from rollbook.operations.keys.catalog import ListedVersion
from rollbook.operations.keys.loss import Loss
from rollbook.secret_keys import KeyUnusable, file_name
from rollbook.text import count_of


def list_keys(arguments: Namespace) -> int:
    """Print all versions of all keys."""
    versions = catalog.list_versions()
    if arguments.json:
        print(to_json({"keys": [_to_json(version) for version in versions]}))
        return OK
    headers = ("key", "version", "state", "created", "file", "needed by", "purpose")
    print("\n".join(table(headers, [_row(version) for version in versions])))
    return OK


def rotate(arguments: Namespace) -> int:
    """Create a new version of a key, and use it unless there may be other machines."""
    name = arguments.name
    with_one_machine = arguments.activate or not settings.ON_POSTGRESQL
    try:
        row = rotation.stage(name, timezone.now())
    except KeyUnusable as error:
        raise CommandError("key_unusable", f"the new key {error}; remove the file") from None
    record("keys rotate", None, str(row))
    add_facts(arguments, key=name, version=row.version, is_active=False)
    if with_one_machine:
        return activate(arguments)
    path = settings.KEYS / file_name(name, row.version)
    print(
        f"Created version {row.version} of {name}, which isn't used yet. Copy {path} to the same "
        f"folder of all other machines, then run `rollbook keys activate {name}`."
    )
    return OK


def activate(arguments: Namespace) -> int:
    """Use the new version of a key, and encrypt again what can be."""
    name = arguments.name
    try:
        row = rotation.activate(name, timezone.now())
    except rotation.NotStaged:
        raise CommandError(
            "no_new_key",
            f"there is no new version of {name}; create one with `rollbook keys rotate {name}`",
        ) from None
    except KeyUnusable as error:
        raise CommandError(
            "key_unusable",
            f"{error}; copy it from the machine on which `rollbook keys rotate` was run",
        ) from None
    record("keys activate", None, str(row))
    add_facts(arguments, key=name, version=row.version, is_active=True)
    print(f"New data is protected with version {row.version} of {name}. The old key is kept.")
    encrypted = 0
    while found := rotation.encrypt_again():
        encrypted += found
    if encrypted:
        print(f"{count_of(encrypted, 'secret')} encrypted again.")
    return OK


def accept_loss(arguments: Namespace) -> int:
    """Say what is lost with the keys, and replace them."""
    names = list(dict.fromkeys(arguments.names))
    lost = {name: loss.find_losses(name) for name in names}
    for name in names:
        if not lost[name]:
            raise CommandError("key_not_lost", f"the key {name} can be used; nothing was changed")
        _print_losses(lost[name])
    if not arguments.yes:
        text = " ".join(names)
        require_typed(text, f"Type {text} to replace", "--yes", "no key was replaced")
    for name in names:
        new = loss.accept(name, timezone.now())
        if new:
            file = settings.KEYS / file_name(name, new.version)
            print(f"{name} has been replaced by {file}. Copy it to all other machines.")
        else:
            print(f"The loss of the old version of {name} is accepted.")
    return OK


def _print_losses(losses: list[Loss]) -> None:
    for each in losses:
        print(f"In {settings.KEYS} {each.problem.what}. What is lost:")
        for sentence in each.consequences:
            print(f"  {sentence}")


def _row(version: ListedVersion) -> tuple[str, ...]:
    created = ""
    if version.created_at:
        created = f"{version.created_at:%Y-%m-%d}"
    return (
        version.name,
        str(version.version),
        version.state.value,
        created,
        _file_state(version),
        ", ".join(version.needed_by) or "nothing",
        version.purpose,
    )


def _file_state(version: ListedVersion) -> str:
    if version.state in ("removed", "lost"):
        return "-"
    return version.problem or "complete"


def _to_json(version: ListedVersion) -> dict[str, object]:
    return {
        "key": version.name,
        "version": version.version,
        "state": version.state.value,
        "created_at": version.created_at,
        "file": _file_state(version),
        "needed_by": list(version.needed_by),
        "purpose": version.purpose,
    }
