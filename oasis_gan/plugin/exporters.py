"""Describe exporter plugins: how a volume becomes a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import OasisGanError
from ..image.volume import Volume
from .description import Description
from .errors import NotImportableError
from .portable import Portable


@dataclass(frozen=True, kw_only=True)
class Exporter(Description, Portable):
    """The part of a plugin that writes volumes in one file format.

    Args:
        name: What the user types after ``--exporter``.
        summary: One line for ``oasis-gan plugins``.
        suffix: The end of the names of its files, with the dot.
        write: Writes a volume to a path, completely or not at all: `oasis_gan.write_atomically`
            does that for bytes, `oasis_gan.write_whole` for a library that writes to a path.
            Every volume it gets is synthetic. The file should say so with `SYNTHETIC_MARK`, if its
            format has a field for that.
    """

    suffix: str
    write: Callable[[Volume, Path], None]

    def _make_portability_error(self, found: str) -> OasisGanError:
        remedy = f"fix the exporter plugin {self.name}"
        return NotImportableError(f"exporter {self.name}", "a `write`", found, remedy)
