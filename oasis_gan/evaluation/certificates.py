"""Certify outputs: evaluate each without a real scan, in its sidecar and in a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import printable
from ..io.claims import hold_name
from ..io.endings import sidecar_of
from ..io.files import read_small, write_atomically
from .errors import OutputChangedError
from .evaluating import Evaluation
from .libraries import versions
from .measures import SECTIONS
from .records import SCHEMA, Record, json_record, tsv_header

TABLE = "evaluation.tsv"
"""The table of all certificates in an output folder."""
_FIELD = "evaluation"
_MOST_BYTES = 2**24
_HEADER = f"{tsv_header()}\toutput_sha256"


def read_certificate(output: Path, segmenter: str) -> Record | None:
    """Return the certificate in the sidecar of an output; None if there is none by this segmenter.

    Raises:
        OasisGanError: If the sidecar cannot be used.
        OSError: As the file system says.
    """
    sidecar = _read(sidecar_of(output))
    certificate: Record = sidecar.get(_FIELD, {})
    if not _is_certificate(certificate, segmenter):
        return None
    is_of_output = certificate["output_sha256"] == sidecar["volume"]["sha256"]
    return certificate if is_of_output else None


def write_certificate(output: Path, evaluation: Evaluation, segmenter: str) -> Record:
    """Write the certificate of an output into its sidecar, and return it.

    Raises:
        OutputChangedError: If the output is no longer the one that was evaluated.
        OSError: As the file system says.
    """
    digest = evaluation.files["output"]["sha256"]
    certificate = {
        "schema": SCHEMA,
        "segmenter": segmenter,
        "output_sha256": digest,
        "versions": versions(),
        **json_record(evaluation),
    }
    path = sidecar_of(output)
    with hold_name(output.parent, output.name):
        sidecar = _read(path)
        if sidecar["volume"]["sha256"] != digest:
            raise OutputChangedError(output)
        sidecar[_FIELD] = certificate
        text = json.dumps(sidecar, indent=2, ensure_ascii=False)
        write_atomically(path, f"{text}\n".encode())
    return certificate


class CertificateTable:
    """The table of the certificates in an output folder, which other runs may write to at the same time.

    Args:
        folder: The output folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / TABLE

    def add(self, certificate: Record) -> None:
        """Write the rows of a subject in the place of those that it had.

        Raises:
            OSError: As the file system says; the old table stays.
        """
        rows = list(_make_rows(certificate))
        subject = certificate["subject"]
        with hold_name(self._path.parent, self._path.name):
            earlier = [row for row in self._read_rows() if row.split("\t")[0] != subject]
            lines = [_HEADER, *earlier, *rows]
            text = "".join(f"{line}\n" for line in lines)
            write_atomically(self._path, text.encode())

    def _read_rows(self) -> list[str]:
        """Return the rows that are there; a table of another form has none."""
        if not self._path.is_file():
            return []
        lines = self._path.read_text("utf-8", "replace").splitlines()
        return lines[1:] if lines[:1] == [_HEADER] else []


def _make_rows(certificate: Record) -> Iterator[str]:
    """Yield a row for the mask, for each tissue and for each structure of a certificate."""
    for name, region in {**certificate["tissues"], **certificate["structures"]}.items():
        cells = [certificate["subject"], name, region["voxels"], region["volume_ml"]]
        for section in SECTIONS:
            scores = region.get(section.key, {})
            cells += [_format_cell(scores, measure.key) for measure in section.measures]
        cells.append(certificate["output_sha256"])
        yield "\t".join(printable(cell) for cell in cells)


def _format_cell(scores: Mapping[str, Any], key: str) -> str:
    value = scores.get(key)
    return "n/a" if value is None else f"{value:.7g}"


def _read(path: Path) -> Record:
    content: Record = json.loads(read_small(path, _MOST_BYTES))
    return content


def _is_certificate(certificate: object, segmenter: str) -> bool:
    """Whether something in a sidecar, which anybody may have edited, is a certificate by a segmenter."""
    if not isinstance(certificate, dict):
        return False
    if certificate.get("schema") != SCHEMA or certificate.get("segmenter") != segmenter:
        return False
    texts = (certificate.get("subject"), certificate.get("output_sha256"))
    tables = (certificate.get("tissues"), certificate.get("structures"))
    return all(isinstance(text, str) for text in texts) and all(map(_is_table, tables))


def _is_table(regions: object) -> bool:
    """Whether something is the figures of regions by section and measure."""
    if not isinstance(regions, dict):
        return False
    for region in regions.values():
        if not isinstance(region, dict) or not {"voxels", "volume_ml"} <= set(region):
            return False
        sections = [region[section.key] for section in SECTIONS if section.key in region]
        if not all(_is_figures(section) for section in sections):
            return False
    return True


def _is_figures(section: object) -> bool:
    if not isinstance(section, dict):
        return False
    return all(value is None or isinstance(value, (int, float)) for value in section.values())
