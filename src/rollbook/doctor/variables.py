"""The settings as the environment has them, each judged alone: one that is wrong must not hide what the others say."""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from rollbook.database.url import postgresql
from rollbook.doctor.findings import Finding, error, ok, warning

Rule = Callable[[str], str | None]  # what is wrong with the value and what to do, with "; " in between

LOCAL = ("localhost", "127.0.0.1", "::1")
_FOR_CHILDREN = {"ROLLBOOK_LISTENER", "ROLLBOOK_LIFELINE"}  # `serve` tells its own processes


def _anything(value: str) -> None:
    return None


def _count(value: str) -> str | None:
    if not re.fullmatch(r"\s*[0-9][0-9_]*\s*", value) or int(value) == 0:
        return f"is {value!r}, which is not a number above 0; write digits alone, or take it away"
    return None


def _port(value: str) -> str | None:
    return _count(value) or (f"is {value}, which is no port; ports are 1 to 65535" if int(value) > 65535 else None)


def _security(value: str) -> str | None:
    if value in ("starttls", "tls", "none"):
        return None
    return f"is {value!r}, so that mails and the password go in the clear; write starttls, tls or none"


def _address(value: str) -> str | None:
    example = "write it like https://rollbook.example"
    try:
        parts = urlsplit(value)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host = None
    if not host:
        return f"is {value!r}, which is no address; {example}"
    if parts.scheme != "https":
        return f"is {value!r}, and plain HTTP is refused, so links in mails lead nowhere; {example}"
    return None


def _database(value: str) -> str | None:
    try:
        postgresql(value)
    except ValueError as problem:
        what = str(problem).removeprefix("DATABASE_URL ")
        return what if "; " in what else f"{what}; write it like postgres://user:password@host:5432/database"
    return None


RULES: dict[str, Rule] = {
    "DATABASE_URL": _database,
    "ROLLBOOK_BEHIND_PROXY": _anything,
    "ROLLBOOK_DATA": _anything,
    "ROLLBOOK_MAIL_FROM": _anything,
    "ROLLBOOK_MAX_ROWS": _count,
    "ROLLBOOK_MAX_UPLOAD_BYTES": _count,
    "ROLLBOOK_SMTP_HOST": _anything,
    "ROLLBOOK_SMTP_PASSWORD": _anything,
    "ROLLBOOK_SMTP_PORT": _port,
    "ROLLBOOK_SMTP_SECURITY": _security,
    "ROLLBOOK_SMTP_USER": _anything,
    "ROLLBOOK_URL": _address,
}


class Variables:
    """What is set; ``wrong`` names the variables whose values are of no use."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.values: dict[str, str] = {}
        self.wrong: set[str] = set()
        self.findings = list(self._judged())

    def forget_wrong(self, environment: MutableMapping[str, str]) -> None:
        """Let the settings have their defaults instead."""
        for name in self.wrong:
            environment.pop(name, None)
            environment.pop(f"{name}_FILE", None)

    def _judged(self) -> Iterator[Finding]:
        problems = [*self._unreadable(), *self._wrong(), *self._unknown(), *self._address_for_mails()]
        yield from problems
        if not problems:
            yield ok(f"set are {', '.join(sorted(self.values))}" if self.values else "none is set, all have defaults")

    def _unreadable(self) -> Iterator[Finding]:
        """Takes up the values of all others."""
        for name in RULES:
            file = self._environment.get(f"{name}_FILE")
            value = self._environment.get(name)
            if file:
                try:
                    value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
                except (OSError, ValueError) as fault:
                    why = getattr(fault, "strerror", None) or "it is not UTF-8 text"
                    self.wrong.add(name)
                    yield error(f"{name}_FILE names {file}, which cannot be read: {why}", "see its path and rights")
                    continue
            if value:
                self.values[name] = value

    def _wrong(self) -> Iterator[Finding]:
        for name, value in self.values.items():
            said = RULES[name](value)
            if said:
                what, _, repair = said.partition("; ")
                self.wrong.add(name)
                yield error(f"{name} {what}", repair)

    def _unknown(self) -> Iterator[Finding]:
        known = {*RULES, *(f"{name}_FILE" for name in RULES)}
        for name in sorted(self._environment):
            if name.startswith("ROLLBOOK_") and name not in known | _FOR_CHILDREN:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else "the README lists all there are"
                yield warning(f"{name} is set, but there is no such setting", hint)

    def _address_for_mails(self) -> Iterator[Finding]:
        if "ROLLBOOK_SMTP_HOST" not in self.values or "ROLLBOOK_URL" in self.wrong:
            return
        url = self.values.get("ROLLBOOK_URL", "")
        if not url:
            yield warning(
                "ROLLBOOK_URL is not set, so links in mails begin with the host and port that `serve` was given",
                "set it to the address by which people reach Rollbook",
            )
        elif urlsplit(url).hostname in LOCAL:
            yield warning(
                f"links in mails begin with {url}, which leads to the reader's own machine",
                "set ROLLBOOK_URL to the address by which people reach Rollbook",
            )
