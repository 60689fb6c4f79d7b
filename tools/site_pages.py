"""Adds the pages of the repository's root to the site, and adapts the links to them.

MkDocs calls the two functions; the links in the repository stay as they work there.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RELEASING.md": "releasing.md",
    "SECURITY.md": "security.md",
    "LICENSE": "license.md",
}
"""The files in the root, and their names on the site."""

_LINK = re.compile(r"(?<=\]\()(?P<up>(?:\.\./)*)(?P<file>[\w./-]+)(?=[#)])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root."""
    for source, name in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=_LINK.sub(_from_root, text)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links to files of the root lead to their pages."""
    depth: int = page.file.src_uri.count("/")

    def adapt(link: "re.Match[str]") -> str:
        levels = link["up"].count("../")
        if levels == depth + 1 and link["file"] in PAGES:
            return "../" * depth + PAGES[link["file"]]
        unchanged: str = link[0]
        return unchanged

    return _LINK.sub(adapt, markdown)


def _from_root(link: "re.Match[str]") -> str:
    return PAGES.get(link["file"], link["file"].removeprefix("docs/"))
