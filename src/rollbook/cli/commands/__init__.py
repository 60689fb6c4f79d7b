"""The subcommands: one module each, which registers its own arguments and options.

A command has two modules of the same name:

* The one in ``commands/`` describes the command to argparse in ``register(commands)``. It imports
  nothing but the standard library and ``rollbook.cli``, so that ``--help`` is instant.
* The one in ``actions/`` does the work. It imports Django and Rollbook's models at its top, like
  any other module. That is possible only after the bootstrap has set up Django for the data folder
  that ``--data`` names, and it would make ``--help`` wait.

The two meet in the functions at the end of the first whose names begin with ``_run_``: each imports
one action and calls it. They are called after the bootstrap, and they are the only functions here
that import anything (a test checks this). Two plain modules were chosen over lazy module objects or
names in strings because editors, mypy and readers can follow an import statement.

A new command is a module here, a module of actions, and an entry in COMMANDS.
"""

from rollbook.cli.commands import (
    admin,
    adopt,
    alert,
    apply,
    audit,
    backup,
    certificate,
    completion,
    district,
    doctor,
    file,
    init,
    keys,
    limits,
    mail,
    mapping,
    migrate,
    move,
    outbox,
    restore,
    retention,
    schedule,
    school,
    serve,
    session,
    staff,
    status,
    student,
    sync,
    throttle,
    token,
    update,
)

COMMANDS = (
    serve,
    init,
    apply,
    status,
    district,
    school,
    staff,
    student,
    schedule,
    sync,
    limits,
    mapping,
    file,
    update,
    session,
    token,
    throttle,
    outbox,
    audit,
    certificate,
    retention,
    keys,
    mail,
    alert,
    admin,
    backup,
    restore,
    move,
    migrate,
    adopt,
    doctor,
    completion,
)
"""In the order in which ``rollbook --help`` lists them."""
