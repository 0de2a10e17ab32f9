"""Read the sidecars of a BIDS derivative, for the group level and for the citation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import OasisGanError
from ..evaluation.outputs import list_outputs
from ..io.endings import sidecar_of
from ..io.files import read_small
from ..pipeline.ledger import Status, read_rows
from .lines import log

_MOST_BYTES = 2**24


class Named(BaseModel):
    """A program or a model that has a name and a version."""

    name: str
    version: str


class Model(Named):
    """A model that is identified by the hash of its weights."""

    weights_sha256: str


class FileName(BaseModel):
    """A file that has a part in an output."""

    file: str


class Computing(BaseModel):
    """A list of the packages that have computed an output."""

    software: dict[str, str] = {}


class RunRecord(BaseModel):
    """A sidecar that this tool wrote, as far as a table and a citation need it.

    Args:
        tool: The version of oasis-gan.
        model: The model.
        source: The first source.
        precision: The number format of the arithmetic, if it is known.
        options: The options of the model.
        computation: The software that computed, if it is known.
        like: The scan whose contrast the output has, if there is one.
        notes: What was noticed about the subject.
    """

    tool: Named
    model: Model
    source: FileName
    precision: str | None = None
    options: dict[str, Any] = {}
    computation: Computing | None = None
    like: FileName | None = None
    notes: list[str] = []


@dataclass(frozen=True)
class OutputRecord:
    """An output, with what its sidecar says."""

    path: Path
    run: RunRecord

    def read_entity(self, key: str) -> str:
        """Return the label of an entity with its key, as in ``sub-01``; empty if there is none."""
        parts = self.path.name.split("_")
        return next((part for part in parts if part.startswith(f"{key}-")), "")


def read_records(folder: Path) -> list[OutputRecord]:
    """Return the outputs in a folder that have a sidecar, in the order of their paths.

    Outputs whose sidecars are damaged are named in a line, and left out.

    Raises:
        OasisGanError: If there is no output.
    """
    outputs = sorted(list_outputs([folder]), key=lambda output: output.path)
    records = []
    for output in outputs:
        try:
            records.append(OutputRecord(output.path, _read_run(sidecar_of(output.path))))
        except (OasisGanError, OSError, ValidationError):
            log(f"{output.path}: left out: its sidecar is missing or damaged")
    return records


def _read_run(path: Path) -> RunRecord:
    return RunRecord.model_validate_json(read_small(path, _MOST_BYTES))


def read_failures(table: Path) -> dict[str, str]:
    """Return the message of each subject that failed, by its name, from the table of a run."""
    failed = (row for row in read_rows(table) if row.status == Status.FAILED)
    return {row.subject: row.message for row in failed}
