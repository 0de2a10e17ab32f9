"""Export a trained model for other software: ``oasis-gan export``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..io.files import write_whole
from .choosing import choose_model, export_model, load_registry
from .streams import write_result


@dataclass(frozen=True)
class ExportOptions:
    """The options that ``oasis-gan export`` takes."""

    model: str
    format: str
    out: Path
    plugin_files: tuple[Path, ...]


def export(options: ExportOptions) -> int:
    """Write a trained model for other software and print where; return 0.

    Raises:
        OasisGanError: If there is no such model or format, the output is there already, or the
            export cannot be trusted.
        OSError: If the file system fails.
    """
    kind, folder = choose_model(load_registry(options.plugin_files), options.model, "MODEL")
    # The export is written beside the path first, so that a failed one leaves nothing there.
    with write_whole(options.out, overwrite=False) as unfinished:
        export_model(kind, folder, options.format, unfinished)
    write_result(options.out)
    return 0
