"""A label map as an evaluation sees it: its tissues, and the structures that it distinguishes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..image.label_advice import ADVICE, LabelAdvice
from ..image.label_conversion import convert
from ..image.label_sets import OASIS
from ..image.labels import LabelSet
from ..image.volume import AssumptionNote, Volume
from ..io.publishing import Identity
from ..pipeline.provenance import read_with_identity
from ..plugin.datasets import Scan, Subject
from .structures import StructureMap, group_structures


@dataclass(frozen=True, eq=False)
class LabelMap:
    """What lies where in a head.

    Args:
        tissues: Values of `OASIS`.
        structures: Its structures; None if it distinguishes tissues only.
    """

    tissues: Volume
    structures: StructureMap | None

    @classmethod
    def of(
        cls,
        volume: Volume,
        label_set: LabelSet,
        where: object,
        advice: LabelAdvice = ADVICE,
    ) -> LabelMap:
        """Return the label map in a volume.

        Args:
            volume: Values of ``label_set``.
            label_set: What they mean.
            where: What to call the volume in an error.
            advice: How a user says what the values mean, for errors.

        Raises:
            OasisGanError: If a value is no label of the set, or none of its labels is a tissue or
                lies in one.
        """
        tissues = convert(volume, label_set, OASIS, where, advice)
        structures = group_structures(volume, label_set)
        return cls(tissues, structures if structures.names else None)


def read_label_map(scan: Scan, output: Volume) -> tuple[LabelMap, Identity]:
    """Read a label map on the grid of an output, and return with it names and hashes of its files.

    If nothing says what its values mean, they are taken for the tissues of `OASIS`.

    Raises:
        OasisGanError: If it cannot be used, or lies on another grid.
        OSError: If the file system fails.
    """
    label_set = scan.labels
    # Tissues need no conversion, and have no structures.
    if label_set is None or label_set.labels == OASIS.labels:
        volume, identity = read_with_identity(scan.in_labels(OASIS), Scan.read)
        volume = place_on_grid(output, volume, scan.path)
        tissues = OASIS.clean(volume, scan.path)
        return LabelMap(tissues, structures=None), identity
    volume, identity = read_with_identity(scan, Scan.read)
    volume = place_on_grid(output, volume, scan.path)
    label_map = LabelMap.of(volume, label_set, scan.path, scan.advice)
    return label_map, identity


def place_on_grid(output: Volume, other: Volume, path: Path) -> Volume:
    """Return a volume on the grid of an output; its axes may be reordered, without resampling.

    Raises:
        OasisGanError: If it lies on another grid.
    """
    placed, turned = Subject.align(output, other)
    placed.geometry.require_same_grid(turned.geometry, path)
    return turned


def describe_notes(role: str, volume: Volume) -> list[str]:
    """Return what was fixed or doubted when a volume was read, and of which volume that is."""
    return [f"{role}: {note}" for note in volume.notes if not isinstance(note, AssumptionNote)]
