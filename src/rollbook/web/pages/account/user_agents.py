"""Names of browsers and systems, by which members recognize their own sessions."""

import re

# In this order: most browsers also name those further down.
BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Samsung Internet", r"SamsungBrowser/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Chrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)"),
)
SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("ChromeOS", r"CrOS"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux"),
)


def program_of(agent: str) -> str:
    """Return ``Firefox 145 on Windows``, or the user agent itself if it isn't recognized."""
    for name, pattern in BROWSERS:
        match = re.search(pattern, agent)
        if match:
            return f"{name} {match[1]}{_system_suffix(agent)}"
    return agent or "unknown"


def _system_suffix(agent: str) -> str:
    for name, pattern in SYSTEMS:
        if re.search(pattern, agent):
            return f" on {name}"
    return ""
