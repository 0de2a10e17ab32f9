"""The JSON beside each output: what made it, and from what."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .datasets import Subject
from .errors import printable
from .files import sha256
from .models import ModelCard
from .slicing import Plane

Record = dict[str, Any]


def recorded(subject: Subject, card: ModelCard, plane: Plane) -> Record:
    """Return what decides how the output looks; equal records mean equal outputs."""
    return {
        "synthetic": True,
        "tool": {"name": "oasis-gan", "version": version("oasis-gan")},
        "model": {"name": card.name, "version": card.version, "weights_sha256": card.weights_sha256},
        # The name alone: the folders above it can say whose head it is.
        "source": {"file": printable(subject.source.path.name), "sha256": sha256(subject.source.path)},
        "plane": plane.value,
        "source_contrast": asdict(card.source),
        "target_contrast": asdict(card.target),
    }


def as_json(record: Record, notes: tuple[str, ...]) -> bytes:
    """Return the file's content: the record, and what was noticed while reading the source."""
    return (json.dumps({**record, "notes": notes}, indent=2, ensure_ascii=False) + "\n").encode()


def differences(path: Path, record: Record) -> list[str]:
    """Return which entries of ``record`` the file at ``path`` contradicts; all of them if it is no such file."""
    try:
        there = json.loads(path.read_bytes())
        return [key for key, value in record.items() if there[key] != json.loads(json.dumps(value))]
    except (OSError, ValueError, KeyError, TypeError):
        return ["provenance"]
