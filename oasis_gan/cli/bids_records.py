"""Read the sidecars of a BIDS derivative, for the group level and for the citation."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OasisGanError
from ..evaluation.outputs import list_outputs
from ..io.endings import sidecar_of
from ..io.files import read_small
from ..pipeline.ledger import Status

_MOST_BYTES = 2**24


@dataclass(frozen=True)
class OutputRecord:
    """An output, with everything that its sidecar says."""

    path: Path
    sidecar: dict[str, Any]

    @property
    def model(self) -> dict[str, Any]:
        """What the sidecar says about the model: its name, its version and its hash."""
        model: dict[str, Any] = self.sidecar["model"]
        return model

    def read_entity(self, key: str) -> str:
        """Return the label of an entity with its key, as in ``sub-01``; empty if there is none."""
        parts = self.path.name.split("_")
        return next((part for part in parts if part.startswith(f"{key}-")), "")


def read_records(folder: Path) -> list[OutputRecord]:
    """Return the outputs in a folder that have a sidecar, in the order of their paths.

    Raises:
        OasisGanError: If there is none.
    """
    outputs = sorted(list_outputs([folder]), key=lambda output: output.path)
    paths = [output.path for output in outputs if output.sidecar is not None]
    return [OutputRecord(path, _read_json(sidecar_of(path))) for path in paths]


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(read_small(path, _MOST_BYTES))
    return content


def read_failures(table: Path) -> dict[str, str]:
    """Return the message of each subject that failed, by its name, from the table of a run."""
    try:
        lines = read_small(table, _MOST_BYTES).decode("utf-8", "replace").splitlines()
    except (FileNotFoundError, OasisGanError):
        return {}
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    failed = [row for row in rows if row.get("status") == Status.FAILED]
    return {str(row.get("subject")): str(row.get("message")) for row in failed}
