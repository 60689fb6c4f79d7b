"""The settings as the environment has them, each checked alone: one that is wrong must not hide the others."""

from collections.abc import Iterator, Mapping, MutableMapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from rollbook.doctor.result import CheckResult, error, ok, warning
from rollbook.environment import BY_NAME, INTERNAL_VARIABLES, SETTINGS, SMTP_HOST, URL

LOCAL = ("localhost", "127.0.0.1", "::1")


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
            environment.pop(BY_NAME[name].file_variable, None)

    def _judged(self) -> Iterator[CheckResult]:
        problems = [
            *self._unreadable(),
            *self._wrong(),
            *self._unknown(),
            *self._address_for_mails(),
        ]
        yield from problems
        if not problems:
            yield ok(
                f"set are {', '.join(sorted(self.values))}"
                if self.values
                else "none is set, all have defaults"
            )

    def _unreadable(self) -> Iterator[CheckResult]:
        """Read all values; yield an error for each that cannot be read."""
        for _, setting in sorted(BY_NAME.items()):
            try:
                value = setting.given(self._environment)
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
                what, _, repair = problem.partition("; ")
                self.wrong.add(name)
                yield error(f"{name} {what}", repair)

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
                "ROLLBOOK_URL is not set, so links in mails begin with the host and port that `serve` was given",
                "set it to the address by which people reach Rollbook",
            )
        elif urlsplit(url).hostname in LOCAL:
            yield warning(
                f"links in mails begin with {url}, which leads to the reader's own machine",
                "set ROLLBOOK_URL to the address by which people reach Rollbook",
            )
