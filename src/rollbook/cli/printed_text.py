"""Print what a command without JSON of its own prints as JSON, with the facts that it reports."""

import json
from argparse import Namespace
from contextlib import redirect_stdout

from rollbook.cli.registration import Action
from rollbook.cli.terminal import PlainText


def text_as_json(action: Action) -> Action:
    """Return the action with its printed lines and its facts as one JSON object."""

    def run(arguments: Namespace) -> int:
        with redirect_stdout(PlainText()) as printed:
            exit_code = action(arguments)
        result = {
            "exit_code": exit_code,
            "lines": printed.getvalue().splitlines(),
            **getattr(arguments, "facts", {}),
        }
        print(json.dumps(result, ensure_ascii=False, indent=2))
        return exit_code

    return run


def add_facts(arguments: Namespace, **facts: str | int | None) -> None:
    """Report what scripts need to know of the result: in addition to the lines, with ``--json``."""
    arguments.facts = {**getattr(arguments, "facts", {}), **facts}
