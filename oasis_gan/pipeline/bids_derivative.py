"""Write the files that make a folder a BIDS derivative: its description and `.bidsignore`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import OasisGanError
from ..io.files import read_small, write_atomically

DESCRIPTION = "dataset_description.json"
_BIDS_VERSION = "1.10.0"
_TOOL = "oasis-gan"
_IGNORED = (
    "subjects.tsv",
    "evaluation.tsv",
    "group_*.tsv",
    "*.html",
    "*.png",
    "*_stdmap.json",
    "*_stdmap.nii.gz",
    "logs/",
)
"""Files that BIDS has no names for."""


class ForeignDatasetError(OasisGanError):
    """The output folder is a BIDS dataset that another program made."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            expected="an output folder that is new, or that oasis-gan has made",
            found=f"a {DESCRIPTION} that does not name oasis-gan",
            remedy="name a folder of its own, such as derivatives/oasis-gan",
        )


def write_derivative_files(folder: Path, datasets: Mapping[str, Path]) -> None:
    """Make a folder a BIDS derivative.

    Args:
        folder: The folder, which is created if needed.
        datasets: The datasets that hold the sources, by the names that BIDS URIs have for them.

    Raises:
        ForeignDatasetError: If it is a dataset of another program.
        OSError: If the file system fails.
    """
    path = folder / DESCRIPTION
    _require_own(path)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_describe(datasets), indent=2, ensure_ascii=False)
    write_atomically(path, f"{text}\n".encode())
    _ignore_other_files(folder / ".bidsignore")


def _require_own(path: Path) -> None:
    """Raise `ForeignDatasetError` if a description exists and does not name this tool."""
    if not path.exists():
        return
    try:
        description = json.loads(read_small(path))
        makers = {maker["Name"] for maker in description["GeneratedBy"]}
    except (OasisGanError, ValueError, KeyError, TypeError):
        makers = set()
    if _TOOL not in makers:
        raise ForeignDatasetError(path.parent)


def _describe(datasets: Mapping[str, Path]) -> dict[str, Any]:
    """Return the description of a derivative."""
    uris = {name: root.as_uri() for name, root in datasets.items()}
    return {
        "Name": "Synthetic volumes made by oasis-gan",
        "BIDSVersion": _BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": _TOOL,
                "Version": version(_TOOL),
                "Description": "Generated volumes are synthetic; each sidecar says from what.",
            }
        ],
        "SourceDatasets": [{"URL": uri} for uri in uris.values()],
        "DatasetLinks": uris,
    }


def _ignore_other_files(path: Path) -> None:
    """Add the files that BIDS has no names for to a list, which may have further lines."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    missing = [pattern for pattern in _IGNORED if pattern not in lines]
    if missing:
        content = "\n".join((*lines, *missing)) + "\n"
        write_atomically(path, content.encode())
