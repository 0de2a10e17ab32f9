"""Puts figures into a page of the documentation between two markers, and keeps what is outside."""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from oasis_gan import write_atomically

END = "<!-- to here; what is written outside is kept -->"
_COLUMNS = 120
"""How wide the pages of the documentation are."""


def wrap_paragraphs(text: str) -> str:
    """Return paragraphs, with an empty line between two, as wide as the documentation is."""
    paragraphs = [
        # A link must not be broken at its hyphens.
        textwrap.fill(paragraph, _COLUMNS, break_long_words=False, break_on_hyphens=False)
        for paragraph in text.split("\n\n")
    ]
    return "\n\n".join(paragraphs)


@dataclass(frozen=True)
class Page:
    """A page that a command makes.

    Args:
        maker: The command's file.
        new: The page where there is none yet, with ``{tables}`` in it.
    """

    maker: str
    new: str

    def spliced(self, tables: str, before: str | None) -> str:
        """Return the page with new tables: a new page, or ``before`` with others in their place."""
        begin = f"<!-- made by {self.maker}: from here"
        made = f"{begin} -->\n\n{tables}\n\n{END}"
        if before is None:
            return self.new.format(tables=made)
        start, found, rest = before.partition(begin)
        _, ended, behind = rest.partition(END)
        if not (found and ended):
            return before.rstrip("\n") + f"\n\n{made}\n"
        return start + made + behind

    def write(self, path: Path, tables: str) -> None:
        """Put tables into a page, or begin one."""
        before = path.read_text("utf-8") if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.spliced(tables, before).encode())


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name and its number of threads, and nothing that says whose it is."""
    lines = cpuinfo.read_text("utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(names, platform.machine())}, {len(os.sched_getaffinity(0))} threads"


def versions(packages: Sequence[str]) -> str:
    """Return what the figures depend on."""
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
    )
