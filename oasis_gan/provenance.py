"""The JSON beside each output: what made it, and from what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .choices import Plane
from .datasets import Scan, Subject
from .errors import OasisGanError, printable
from .files import read_small, sha256
from .label_sets import identity_of
from .models import Computation, ModelCard

Record = dict[str, Any]


def recorded(
    subject: Subject,
    card: ModelCard,
    planes: Sequence[Plane],
    datatype: str,
    computation: Computation | None = None,
) -> Record:
    """Return what decides how the output looks; equal records mean equal outputs.

    What an engine's version or the number of threads changes is rounding, so that they are no part of it.
    """
    return {
        "synthetic": True,
        "tool": {"name": "oasis-gan", "version": version("oasis-gan")},
        "model": {"name": card.name, "version": card.version, "weights_sha256": card.weights_sha256},
        "source": _source(subject.source),
        "source_labels": identity_of(subject.source.labels) if subject.source.labels else None,
        "precision": computation.precision if computation else None,
        "planes": [plane.value for plane in planes],
        "texture": card.texture,
        "histogram": card.histogram.identity() if card.histogram else None,
        "datatype": datatype,
        "source_contrast": asdict(card.source),
        "target_contrast": asdict(card.target),
    }


def as_json(record: Record, output: Path, notes: tuple[str, ...], computation: Computation | None = None) -> bytes:
    """Return the sidecar of ``output``: the record, the hash of the file, and what was noticed in the source.

    It also names what computed the output, if that is known.
    """
    content = {
        **record,
        "computation": computation.record() if computation else None,
        "volume": _identity(output),
        "notes": notes,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def differences(sidecar: Path, output: Path, record: Record) -> list[str]:
    """Return in what ``output``, by its sidecar, is another than ``record`` would make; nothing if it is the same."""
    wanted = {**json.loads(json.dumps(record)), "volume": _identity(output)}
    try:
        there = json.loads(read_small(sidecar))
        return [key for key, value in wanted.items() if there[key] != value]
    except (OasisGanError, OSError, ValueError, KeyError, TypeError, RecursionError):
        return ["provenance"]


def _source(scan: Scan) -> Record:
    parts = {"parts": [_identity(path) for path in scan.parts]} if scan.parts else {}
    return {**_identity(scan.path), **parts}


def _identity(path: Path) -> dict[str, str]:
    # The name alone: the folders above it can say whose head it is.
    return {"file": printable(path.name), "sha256": sha256(path)}
