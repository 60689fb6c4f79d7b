"""What a browser calls itself, as people call it: by this a member knows his own sessions."""

import re

# In this order: most of them name those further down too.
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
    """``Firefox 145 on Windows``; what cannot be read so is shown as it was sent."""
    for name, pattern in BROWSERS:
        found = re.search(pattern, agent)
        if found:
            return f"{name} {found[1]}{_system(agent)}"
    return agent or "unknown"


def _system(agent: str) -> str:
    return next((f" on {name}" for name, pattern in SYSTEMS if re.search(pattern, agent)), "")
