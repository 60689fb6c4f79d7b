"""Registers ``rollbook completion``."""

from argparse import Namespace

from rollbook.cli.completion import SHELLS
from rollbook.cli.registration import Bootstrap, Commands, add_command


def register(commands: Commands) -> None:
    """Register the command."""
    command = add_command(
        commands,
        "completion",
        _run_completion,
        "Print a script with which a shell completes commands, options and values.",
        "For bash, add `source <(rollbook completion bash)` to ~/.bashrc; for zsh, "
        "`source <(rollbook completion zsh)` to ~/.zshrc, after compinit.",
        bootstrap=Bootstrap.NONE,
    )
    command.add_argument("shell", metavar="SHELL", choices=SHELLS, help=" or ".join(SHELLS))


def _run_completion(arguments: Namespace) -> int:
    from rollbook.cli.actions.completion import completion

    return completion(arguments)
