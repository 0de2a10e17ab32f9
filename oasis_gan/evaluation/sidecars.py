"""Read from the sidecar of an output what an evaluation needs; anybody may have edited it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from ..errors import printable
from ..io.endings import sidecar_of
from ..io.files import read_small
from ..io.strict_json import describe_fault, require_unique_keys
from .errors import DamagedSidecarError

_MOST_BYTES = 2**24  # of a sidecar; this tool writes far fewer


class FileIdentity(BaseModel):
    """Name and hash of a file."""

    file: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class SourceIdentity(FileIdentity):
    """Name and hash of a source, and of the files that are read with it."""

    parts: list[FileIdentity] = []


class EncodingKind(BaseModel):
    """What the values of a volume are to a model; a plugin may bring kinds of its own."""

    kind: str = ""


class Sidecar(BaseModel):
    """A record of how an output was made.

    Args:
        source: The file that it was made from.
        source_labels: The label set of that file, where it was known.
        source_encodings: What a model took its sources for, the first of them first.
        target_encoding: What a model made of them.
        volume: The output itself.
        subject: The name of its subject.
    """

    synthetic: Literal[True]
    source: SourceIdentity
    source_labels: str | None = None
    source_encodings: Annotated[dict[str, EncodingKind], Field(min_length=1)]
    target_encoding: EncodingKind
    volume: FileIdentity
    subject: str

    @property
    def was_made_from_labels(self) -> bool:
        """Whether the first source is a label map."""
        first = next(iter(self.source_encodings.values()))
        return first.kind == "labels"


def read_sidecar(output: Path) -> Sidecar | None:
    """Return what the sidecar of an output says; None if there is none, or one of another program.

    Raises:
        OasisGanError: If it is damaged, or of another output.
        OSError: If it cannot be read.
    """
    path = sidecar_of(output)
    try:
        data = read_small(path, _MOST_BYTES)
    except FileNotFoundError:
        return None
    require_unique_keys(data, path)
    if not _is_of_this_tool(data):
        return None
    try:
        # Strictly: a number where a text belongs is a sign of damage.
        sidecar = Sidecar.model_validate_json(data, strict=True)
    except ValidationError as error:
        found = describe_fault(error)
        raise DamagedSidecarError(path, "the provenance of an output", found) from None
    file = sidecar.volume.file
    if file != printable(output.name):
        expected = f"the provenance of {output.name}"
        raise DamagedSidecarError(path, expected, f"that of {file}")
    return sidecar


class _Marked(BaseModel):
    """A JSON object that may say that something is synthetic."""

    synthetic: object = None


def _is_of_this_tool(data: bytes) -> bool:
    """Whether a JSON text was written by this tool, even if it is damaged now."""
    try:
        marked = _Marked.model_validate_json(data)
    except ValidationError:
        return True
    # The JSON of other programs does not mention what is synthetic.
    return marked.synthetic is not None
