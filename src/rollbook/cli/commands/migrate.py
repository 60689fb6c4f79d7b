"""Registers ``rollbook migrate``."""

from argparse import Namespace

from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "migrate",
        _run_migrate,
        "Bring the database to this version of Rollbook.",
        "Back it up first. On SQLite, `rollbook serve` does the same when it starts; on PostgreSQL "
        "only if ROLLBOOK_MIGRATE_AT_START is `yes`. Commands that only show or change records "
        "never do.",
        "Several may run at the same time: one of them migrates, and the others wait for it. On "
        "SQLite, all migrations are applied or none. On PostgreSQL, one is applied after the "
        "other; a migration that has to wait for a locked table is tried again for two minutes.",
        "With ROLLBOOK_MIGRATE_DATABASE_URL, it connects with that, and grants the role in "
        "DATABASE_URL what web servers and workers need.",
        bootstrap=Bootstrap.SETTINGS_AS_OWNER,
    )
    either = command.add_mutually_exclusive_group()
    either.add_argument(
        "--plan",
        action="store_true",
        help="only print what would be done, what it would lock, and about how long it would take",
    )
    either.add_argument(
        "--wait",
        action="store_true",
        help="only wait until the database is of this version, if another machine migrates it",
    )


def _run_migrate(arguments: Namespace) -> int:
    from rollbook.cli.actions.migrate import migrate

    return migrate(arguments)
