"""Certify outputs: evaluate each without a real scan, in its sidecar and in a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import printable
from ..io.claims import hold_name
from ..io.endings import sidecar_of
from ..io.files import read_small, write_atomically
from .errors import OutputChangedError
from .evaluating import Evaluation, choose_mask, evaluate_volumes
from .libraries import list_versions
from .measures import SECTIONS
from .reading import Task, Volumes, segment_volumes
from .records import SCHEMA, Record, describe_settings, make_json_record, make_tsv_header
from .stored import CertificateRecord

TABLE = "evaluation.tsv"
"""The table of all certificates in an output folder."""
_FIELD = "evaluation"
_MOST_BYTES = 2**24  # of a sidecar; this tool writes far fewer
_HEADER = f"{make_tsv_header()}\toutput_sha256"


def read_certificate(output: Path, segmenter: str) -> Record | None:
    """Return the certificate in the sidecar of an output; None if there is none by this segmenter.

    Raises:
        OasisGanError: If the sidecar cannot be used.
        OSError: If the file system fails.
    """
    sidecar = _read(sidecar_of(output))
    certificate: Record = sidecar.get(_FIELD, {})
    found = CertificateRecord.read(certificate)
    if found is None or (found.form, found.segmenter) != (SCHEMA, segmenter):
        return None
    if found.output_sha256 != sidecar["volume"]["sha256"]:
        return None
    return certificate


def evaluate_once(task: Task, volumes: Volumes) -> Evaluation:
    """Return the evaluation in the sidecar of an output if it is still valid, or else a new one.

    Args:
        task: What an evaluation compares.
        volumes: The volumes of its files.

    Raises:
        OasisGanError: If a volume cannot be segmented, or there is no voxel to compare.
        OSError: As the file system says.
    """
    evaluation = _find_evaluation(task, volumes)
    if evaluation is not None:
        return evaluation
    return evaluate_volumes(task, segment_volumes(task, volumes))


def _find_evaluation(task: Task, volumes: Volumes) -> Evaluation | None:
    """Return the evaluation in the sidecar of an output, if one of these volumes would equal it."""
    if task.sidecar is None:
        return None
    sidecar = _read(sidecar_of(task.output.path))
    found = CertificateRecord.read(sidecar.get(_FIELD))
    if found is None or found.form != SCHEMA or found.files != volumes.files:
        return None
    if task.segmenter is not None and found.segmenter != task.segmenter.name:
        return None
    if (found.versions, found.settings) != (list_versions(), describe_settings()):
        return None
    return found.restore(volumes.files) if _has_same_regions(found, task, volumes) else None


def _has_same_regions(found: CertificateRecord, task: Task, volumes: Volumes) -> bool:
    """Whether the mask and the tissues are those of a certificate.

    The same label map has others if its values are taken to mean something else.
    """
    mask, regions = choose_mask(volumes, task)
    counts = {name: int(np.count_nonzero(region)) for name, region in regions.items()}
    expected = {name: region.voxels for name, region in found.tissues.items()}
    return (mask, counts) == (found.mask, expected)


def write_certificate(output: Path, evaluation: Evaluation, segmenter: str) -> Record:
    """Write the certificate of an output into its sidecar, and return it.

    Raises:
        OutputChangedError: If the output is no longer the one that was evaluated.
        OSError: If the file system fails.
    """
    digest = evaluation.files["output"]["sha256"]
    certificate = {
        "schema": SCHEMA,
        "segmenter": segmenter,
        "output_sha256": digest,
        "versions": list_versions(),
        "settings": describe_settings(),
        **make_json_record(evaluation),
    }
    path = sidecar_of(output)
    # Another run may be making the output again, with a sidecar of its own.
    with hold_name(output.parent, output.name):
        sidecar = _read(path)
        if sidecar["volume"]["sha256"] != digest:
            raise OutputChangedError(output)
        sidecar[_FIELD] = certificate
        text = json.dumps(sidecar, indent=2, ensure_ascii=False)
        write_atomically(path, f"{text}\n".encode())
    return certificate


class CertificateTable:
    """The table of the certificates in an output folder; several runs may write to it at once.

    Args:
        folder: The output folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / TABLE

    def add(self, certificate: Record) -> None:
        """Write the rows of a subject in the place of those that it had.

        Raises:
            OSError: If the file system fails; the old table stays.
        """
        subject = certificate["subject"]
        lines = [_HEADER]
        # Otherwise the rows that another run adds in the meantime would be lost.
        with hold_name(self._path.parent, self._path.name):
            for row in self._read_rows():
                name, *_ = row.split("\t")
                if name != subject:
                    lines.append(row)
            lines += _make_rows(certificate)
            text = "".join(f"{line}\n" for line in lines)
            write_atomically(self._path, text.encode())

    def _read_rows(self) -> list[str]:
        """Return the rows that are there; a table of another form has none."""
        if not self._path.is_file():
            return []
        # Anybody may have edited the table.
        text = self._path.read_text("utf-8", "replace")
        lines = text.splitlines()
        return lines[1:] if lines[:1] == [_HEADER] else []


def _make_rows(certificate: Record) -> Iterator[str]:
    """Yield a row for the mask, for each tissue and for each structure of a certificate."""
    regions = {**certificate["tissues"], **certificate["structures"]}
    for name, region in regions.items():
        cells = [
            certificate["subject"],
            name,
            region["voxels"],
            region["volume_ml"],
        ]
        for section in SECTIONS:
            scores = region.get(section.key, {})
            cells += [_format_cell(scores, key) for key in section.keys]
        cells.append(certificate["output_sha256"])
        yield "\t".join(printable(cell) for cell in cells)


def _format_cell(scores: Mapping[str, Any], key: str) -> str:
    value = scores.get(key)
    return "n/a" if value is None else f"{value:.7g}"


def _read(path: Path) -> Record:
    content: Record = json.loads(read_small(path, _MOST_BYTES))
    return content
