"""What an exporter plugin describes: how a volume becomes a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..image.volume import Volume
from .description import Description
from .portable import Portable


@dataclass(frozen=True, kw_only=True)
class Exporter(Description, Portable):
    """A writer plugin: one file format.

    Args:
        name: What the user types after ``--exporter``.
        summary: One line for ``oasis-gan plugins``.
        suffix: How the names of its files end, with the dot.
        write: Writes a volume to a path, whole or not at all: `oasis_gan.write_atomically` does that for bytes,
            `oasis_gan.write_whole` for a library that writes to a path.
    """

    suffix: str
    write: Callable[[Volume, Path], None]
