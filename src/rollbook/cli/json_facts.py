"""What commands without JSON of their own print with ``--json``; see ``printed_text.py``."""

from collections.abc import Mapping

from rollbook.cli.json_keys import LOGIN, SLUG, Keys

TEXT: Keys = {
    "exit_code": "the exit code",
    "lines": "what is printed without `--json`, a string for each line",
}
"""What every command prints that has no JSON of its own."""

CERTIFICATE: Keys = {"certificate": "the number of the certificate"}
KEY: Keys = {
    "key": "the name of the key",
    "version": "the version",
    "is_active": "whether new data is protected with this version",
}
NAMED: Keys = {**SLUG, "name": "the name of the district"}

FACTS: Mapping[str, Keys] = {
    "rollbook init": {**SLUG, **LOGIN, "link": "where the manager chooses a password"},
    "rollbook district add": {**NAMED, "time_zone": "the time zone"},
    "rollbook district set": SLUG,
    "rollbook district rename": NAMED,
    "rollbook district suspend": SLUG,
    "rollbook district resume": SLUG,
    "rollbook district export": {
        "path": "the archive",
        "bytes": "its size",
        "sha256": "its SHA-256",
    },
    "rollbook district delete": CERTIFICATE,
    "rollbook school load": {
        "added": "schools that were added",
        "renamed": "schools that were renamed",
        "unchanged": "schools that are as before",
        "total": "how many schools the district has now",
    },
    "rollbook staff add": {**LOGIN, "role": "the role"},
    "rollbook staff reinvite": {**LOGIN, "link": "with `--print-link`: the link"},
    "rollbook staff deactivate": LOGIN,
    "rollbook staff reactivate": LOGIN,
    "rollbook staff second-factor-off": LOGIN,
    "rollbook student erase": CERTIFICATE,
    "rollbook limits set": {"version": "the version that was saved"},
    "rollbook mapping save": {"name": "the name", "version": "the version that was saved"},
    "rollbook mapping remove": {"name": "the name"},
    "rollbook session end": {"ended": "how many sessions were ended"},
    "rollbook token revoke": {"revoked": "how many tokens were revoked"},
    "rollbook throttle clear": {"cleared": "how many failed attempts were removed"},
    "rollbook outbox resend": {"queued": "how many emails were queued again"},
    "rollbook audit check": {
        "events": "the number of events under a seal",
        "seals": "the number of seals",
        "broken": "the number of seals that don't match",
        "newest_seal": "the newest seal, for `--expect`",
    },
    "rollbook keys rotate": KEY,
    "rollbook keys activate": KEY,
    "rollbook backup": {"path": "the backup", "bytes": "its size"},
}
"""What other commands report besides TEXT, unless nothing was done."""
