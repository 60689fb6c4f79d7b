"""Checks each setting in the environment separately, so that a wrong one can't hide others."""

from collections.abc import Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.environment import BY_NAME, INTERNAL_VARIABLES, SETTINGS, SMTP_HOST, URL

LOCAL = ("localhost", "127.0.0.1", "::1")


class Variables:
    """The variables that are set.

    Attributes:
        values: The value of each, by name.
        wrong: The names of those whose values can't be used.
        findings: The results of the check.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.values: dict[str, str] = {}
        self.wrong: set[str] = set()
        self.results = list(self._check())

    def remove_wrong(self, environment: MutableMapping[str, str]) -> None:
        """Remove the wrong ones from the environment, so that their defaults apply."""
        for name in self.wrong:
            environment.pop(name, None)
            environment.pop(BY_NAME[name].file_variable, None)

    def _check(self) -> Iterator[CheckResult]:
        problems = [
            *self._unreadable(),
            *self._wrong(),
            *self._unknown(),
            *self._address_for_mails(),
        ]
        yield from problems
        if not problems:
            names = ", ".join(sorted(self.values))
            yield ok(f"set: {names}" if names else "none is set; the defaults apply")

    def _unreadable(self) -> Iterator[CheckResult]:
        """Read all values; yield an error for each that cannot be read."""
        for _, setting in sorted(BY_NAME.items()):
            try:
                value = setting.text(self._environment)
            except (OSError, ValueError) as fault:
                why = getattr(fault, "strerror", None) or "it is not UTF-8 text"
                self.wrong.add(setting.name)
                file = self._environment[setting.file_variable]
                what = f"{setting.file_variable} names {file}, which cannot be read: {why}"
                yield error(what, "check its path and permissions")
                continue
            if value:
                self.values[setting.name] = value

    def _wrong(self) -> Iterator[CheckResult]:
        for name, value in self.values.items():
            problem = BY_NAME[name].check(value)
            if problem:
                what, _, fix = problem.partition("; ")
                self.wrong.add(name)
                yield error(f"{name} {what}", fix)

    def _unknown(self) -> Iterator[CheckResult]:
        known = {*BY_NAME, *(setting.file_variable for setting in SETTINGS)}
        for name in sorted(self._environment):
            if name.startswith("ROLLBOOK_") and name not in known | INTERNAL_VARIABLES:
                near = get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else "the README lists all settings"
                yield warning(f"{name} is set, but there is no such setting", hint)

    def _address_for_mails(self) -> Iterator[CheckResult]:
        if SMTP_HOST.name not in self.values or URL.name in self.wrong:
            return
        url = self.values.get(URL.name, "")
        if not url:
            yield warning(
                "ROLLBOOK_URL is not set, so links in emails use the host and port of `serve`",
                "set it to the address that people use for Rollbook",
            )
        elif urlsplit(url).hostname in LOCAL:
            yield warning(
                f"links in emails use {url}, which is the reader's own machine",
                "set ROLLBOOK_URL to the address that people use for Rollbook",
            )
