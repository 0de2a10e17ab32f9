"""Lay outputs out as a BIDS derivative, with a folder for each participant and session.

https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from ..image.skull import find_skull_sign
from ..image.volume import Volume
from ..io.endings import stem_of
from ..plugin.datasets import Subject
from .places import Layout, OutputFiles

_KEPT = (
    "sub",
    "ses",
    "task",
    "acq",
    "ce",
    "rec",
    "run",
    "echo",
    "part",
    "space",
    "chunk",
    "res",
)
"""Entities that an output takes over from its source, in the order that BIDS prescribes.

BIDS forbids the others for an MRI, or asks for facts that nobody knows here. They become a part of
``desc``, so that the outputs of two label maps of one scan have two names.
"""
_FOLDER_ENTITIES = ("sub", "ses")
_TAGGED = re.compile(r"((?:.*_)?[a-zA-Z]+-[a-zA-Z0-9+]+)-([0-9a-f]{8})")
_ENTITY = re.compile(r"([a-zA-Z]+)-([a-zA-Z0-9+]+)")
_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9]")


@dataclass(frozen=True)
class BidsLayout(Layout):
    """Decides where the files of a run go if the output folder is a BIDS derivative.

    Args:
        root: The folder of the derivative.
        datasets: The datasets that hold the sources, by the names that BIDS URIs have for them.
    """

    datasets: Mapping[str, Path] = field(default_factory=dict)

    def locate(self, name: str, kind: str, suffix: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return the files of an output, as in ``sub-01/anat/sub-01_desc-synth_T1w.nii.gz``.

        Args:
            name: The name of the output; its entities are spelled as in the file of the source.
            kind: What the model calls its outputs, which becomes the suffix of BIDS.
            suffix: The ending of files of the format, with the dot.
            entities: The entities of the subject, see `Subject`.
        """
        name, tag = _split_tag(name)
        labels = _spell_entities(name, entities)
        kept = [f"{key}-{labels[key]}" for key in _KEPT if key in labels]
        stem = "_".join((*kept, f"desc-{_describe_output(labels, tag)}", kind))
        folders = [f"{key}-{labels[key]}" for key in _FOLDER_ENTITIES if key in labels]
        volume = self.root.joinpath(*folders, "anat", f"{stem}{suffix}")
        return OutputFiles(volume, suffix, has_description=True)

    def describe(self, subject: Subject, volume: Volume, content: str) -> Mapping[str, object]:
        """Return what BIDS asks of the sidecar of a derivative.

        Args:
            subject: The subject that it was made from.
            volume: The output.
            content: Whether it holds labels or an image.
        """
        uris = list(self._list_uris(subject))
        entries: dict[str, object] = {
            "Description": "Synthetic volume that a model made; it is not a scan.",
            "Sources": uris,
            # An output lies on the grid of its first source, voxel by voxel.
            "SpatialReference": uris[0],
        }
        if content == "image":
            entries["SkullStripped"] = not find_skull_sign(volume)
        if "res" in subject.entities:
            entries["Resolution"] = "that of the first source"
        return entries

    def list_folders(self) -> list[Path]:
        """Return the folders that hold outputs, as far as they exist."""
        patterns = ("sub-*/anat", "sub-*/ses-*/anat")
        return [folder for pattern in patterns for folder in sorted(self.root.glob(pattern))]

    def _list_uris(self, subject: Subject) -> Iterator[str]:
        """Yield the URIs of the files that an output is made from."""
        for scan in (subject.source, *subject.further.values()):
            yield self._make_uri(scan.path)

    def _make_uri(self, path: Path) -> str:
        """Return the BIDS URI of a file of a dataset, or the URI of any other file.

        https://bids-specification.readthedocs.io/en/stable/common-principles.html#bids-uri
        """
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are
        # A derivative may lie within the dataset that it was made from.
        for name, root in sorted(self.datasets.items(), key=_count_parts, reverse=True):
            if absolute.is_relative_to(root):
                relative = absolute.relative_to(root).as_posix()
                return f"bids:{name}:{quote(relative)}"
        return absolute.as_uri()


def _count_parts(dataset: tuple[str, Path]) -> int:
    """Return how deep the folder of a dataset lies."""
    return len(dataset[1].parts)


def _split_tag(name: str) -> tuple[str, str]:
    """Return a name without the tag at its end, and the tag, which is empty if there is none."""
    match = _TAGGED.fullmatch(name)
    return (match[1], match[2]) if match else (name, "")


def _spell_entities(name: str, entities: Mapping[str, str]) -> dict[str, str]:
    """Return entities as the name spells them: ``run-01`` stays, where the data say run 1."""
    labels = dict(entities)
    for part in name.split("_"):
        match = _ENTITY.fullmatch(part)
        if match is not None and match[1] in labels:
            labels[match[1]] = match[2]
    # A file that is named by hand has no entities, but BIDS wants a participant.
    labels.setdefault("sub", _NOT_IN_LABELS.sub("", stem_of(name)) or "unknown")
    return labels


def _describe_output(labels: Mapping[str, str], tag: str) -> str:
    """Return the value of ``desc``, such as ``synth``, or ``asegSynth`` for a map ``aseg``."""
    origin = [value for key, value in labels.items() if key not in _KEPT]
    words = [word for word in (*origin, "synth", tag) if word]
    return words[0] + "".join(f"{word[:1].upper()}{word[1:]}" for word in words[1:])
