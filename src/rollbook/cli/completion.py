"""Write the script with which a shell completes commands, options and their values."""

from argparse import Action, ArgumentParser
from collections.abc import Iterator

from rollbook.cli.command_parser import actions_of, commands_of

BASH, ZSH = SHELLS = ("bash", "zsh")

_ZSH_BEGIN = "autoload -U +X bashcompinit && bashcompinit\n"
_SCRIPT = """\
# Completion of the rollbook command, written by `rollbook completion`.
_rollbook() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}"
    local path="" words="" i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$path ${{COMP_WORDS[i]}}" in
            {paths}) path="$path ${{COMP_WORDS[i]}}" ;;
        esac
    done
    case "$path:$prev" in
{values}
    esac
    if [[ -z "$words" && "$cur" == -* ]]; then
        case "$path" in
{options}
        esac
    elif [[ -z "$words" ]]; then
        case "$path" in
{names}
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _rollbook rollbook
"""


def script(parser: ArgumentParser, shell: str) -> str:
    """Return the script for a shell: where it has nothing to offer, files are completed."""
    found = dict(_with_paths(parser, ""))
    values = (line for path, each in found.items() for line in _value_cases(path, each))
    options = (_case(path, _options(each)) for path, each in found.items())
    names = (_case(path, _names(each)) for path, each in found.items())
    text = _SCRIPT.format(
        paths=" | ".join(f'"{path}"' for path in filter(None, found)),
        values="\n".join(values),
        options="\n".join(options),
        names="\n".join(names),
    )
    return text if shell == BASH else f"{_ZSH_BEGIN}{text}"


def _with_paths(parser: ArgumentParser, path: str) -> Iterator[tuple[str, ArgumentParser]]:
    """Yield each parser with the words that lead to it, each after a blank."""
    yield path, parser
    for name, command in commands_of(parser).items():
        yield from _with_paths(command, f"{path} {name}")


def _value_cases(path: str, command: ArgumentParser) -> Iterator[str]:
    """Yield what completes the value of each option that has choices."""
    for action in actions_of(command):
        for option in action.option_strings:
            if action.choices:
                yield _case(f"{path}:{option}", _words(action))


def _options(command: ArgumentParser) -> str:
    names = (name for action in actions_of(command) for name in action.option_strings)
    return " ".join(name for name in names if name.startswith("--"))


def _names(command: ArgumentParser) -> str:
    """Return the subcommands, and what the positional arguments can be."""
    positional = (action for action in actions_of(command) if not action.option_strings)
    return " ".join(_words(action) for action in positional if action.choices)


def _words(action: Action) -> str:
    return " ".join(map(str, action.choices or ()))


def _case(pattern: str, words: str) -> str:
    return f'            "{pattern}") words="{words}" ;;'
