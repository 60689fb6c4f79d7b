"""An argument parser that reports usage errors as all other errors are reported."""

from argparse import Action, ArgumentError, ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, NoReturn

from rollbook.cli.errors import USAGE, CommandError
from rollbook.cli.suggestions import hint

EXPECTED: Mapping[Callable[[str], Any], str] = MappingProxyType(
    {int: "a whole number", date.fromisoformat: "a date such as 2026-09-01"}
)
"""What a value has to be, for types that don't word their errors."""


class CommandParser(ArgumentParser):
    """Raises CommandError where ``ArgumentParser`` prints a message and exits."""

    def error(self, message: str) -> NoReturn:
        """Raise the error; it names the command whose help explains the usage."""
        see = " See" if message.endswith("?") else "; see"
        raise CommandError("usage", f"{message}{see} `{self.prog} --help`", USAGE)

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> Namespace:
        """Parse the arguments; suggest an option in place of one that doesn't exist.

        Raises:
            CommandError: The usage is wrong.
        """
        arguments, unknown = self.parse_known_args(args, namespace)
        if unknown:
            command: CommandParser = getattr(arguments, "parser", self)
            command.refuse(unknown)
        return arguments

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Raise the error for arguments that the command doesn't have."""
        word = unknown[0].partition("=")[0]
        if not word.startswith("-"):
            self.error(f"'{word}' is one argument too many")
        options = (name for name in self._option_string_actions if name.startswith("--"))
        self.error(_not_found(f"there is no option '{word}'", word, options))

    def _get_value(self, action: Action, arg_string: str) -> Any:
        """Convert a value; the error says what it has to be instead of naming a function."""
        try:
            return super()._get_value(action, arg_string)
        except ArgumentError:
            expected = EXPECTED.get(action.type)  # type: ignore[arg-type]
            if expected is None:
                raise
            raise ArgumentError(action, f"'{arg_string}' is not {expected}") from None

    def _check_value(self, action: Action, value: Any) -> None:
        """Check that the value is one of the choices, as ``ArgumentParser`` does."""
        if action.choices is None or value in action.choices:
            return
        if isinstance(action, _SubParsersAction):
            self.error(_not_found(f"there is no command '{value}'", value, action.choices))
        choices = ", ".join(map(str, action.choices))
        text = f"'{value}' is not one of {choices}"
        raise ArgumentError(action, _not_found(text, str(value), action.choices))


def _not_found(text: str, word: str, known: Iterable[str]) -> str:
    suggestion = hint(word, known, "")
    return f"{text}; {suggestion}" if suggestion else text


def actions_of(parser: ArgumentParser) -> Sequence[Action]:
    """Return the options and arguments of a command."""
    return parser._actions  # noqa: SLF001 - argparse has no public way to list them


def commands_of(parser: ArgumentParser) -> Mapping[str, ArgumentParser]:
    """Return the subcommands by name."""
    for action in actions_of(parser):
        if isinstance(action, _SubParsersAction):
            return action.choices
    return {}


def iter_commands(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """Yield the parser of every command that does something, in the order of the help."""
    commands = commands_of(parser)
    if not commands:
        yield parser
    for command in commands.values():
        yield from iter_commands(command)


def has_option(command: ArgumentParser, option: str) -> bool:
    """Return whether the command has an option of this name, such as ``--json``."""
    return any(option in action.option_strings for action in actions_of(command))
