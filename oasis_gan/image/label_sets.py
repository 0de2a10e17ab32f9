"""The label sets known by name, and what else a user may call them.

Values and names:

- OASIS-1 ``FSL_SEG`` and FSL FAST: https://fsl.fmrib.ox.ac.uk/fsl/docs/structural/fast.html
- Neurite OASIS: ``seg4_labels.txt`` and ``seg35_labels.txt`` in its archive,
  https://github.com/adalca/medical-datasets/blob/master/neurite-oasis.md
- BIDS: https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html#common-image-derived-labels
- ANTs: the six classes of its ``antsCorticalThickness.sh``, https://github.com/ANTsX/ANTs
- FreeSurfer: see `oasis_gan.image.freesurfer`

``seg4`` was made by the grouping into tissues that stands there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from .freesurfer import A2009S, APARC, ASEG, RARE, Structures
from .labels import Label, LabelSet

_TISSUE_LABELS = (Label(1, "CSF"), Label(2, "GM"), Label(3, "WM"))

OASIS = LabelSet(name="oasis", labels=_TISSUE_LABELS)
"""The tissue maps of OASIS-1 (``FSL_SEG``)."""

OASIS_PNG = LabelSet(
    name="oasis-png", labels=(Label(85, "CSF"), Label(170, "GM"), Label(255, "WM"))
)
"""The same tissues as greys of 8 bits: the OASIS PNG slices."""

FSL_FAST = LabelSet(name="fsl-fast", labels=_TISSUE_LABELS)
"""The tissue maps of FSL FAST on a T1w: the same values."""

BIDS = LabelSet(
    name="bids",
    labels=(
        Label(1, "GM"),
        Label(2, "WM"),
        Label(3, "CSF"),
        Label(4, "Bone"),
        Label(5, "Soft-Tissue"),
        Label(6, "Non-brain"),
        Label(7, "Lesion"),
        Label(8, "Cortex"),
        Label(9, "Subcortical-Gray-Matter"),
        Label(10, "Brain-Stem"),
        Label(11, "Cerebellum"),
    ),
)
"""The labels that all of BIDS shares: those of a ``dseg`` without a table."""

ANTS = LabelSet(
    name="ants",
    labels=(
        *_TISSUE_LABELS,
        Label(4, "Subcortical-Gray-Matter"),
        Label(5, "Brain-Stem"),
        Label(6, "Cerebellum"),
    ),
)
"""The six classes of ANTs."""

NEURITE_SEG4 = LabelSet(
    name="neurite-seg4",
    labels=(
        Label(1, "Cortex"),
        Label(2, "Subcortical-Gray-Matter"),
        Label(3, "White-Matter"),
        Label(4, "CSF"),
    ),
)
"""``seg4`` of Neurite OASIS."""


def _label_set(name: str, *tables: Structures) -> LabelSet:
    structures = [(value, structure) for table in tables for structure, (value, _) in table.items()]
    return LabelSet(
        name=name, labels=tuple(Label(value, structure) for value, structure in structures)
    )


FREESURFER = _label_set("freesurfer", ASEG)
"""``aseg`` of FreeSurfer, and of SynthSeg, which takes its values."""

FREESURFER_APARC = _label_set("freesurfer-aparc", ASEG, APARC)
"""``aparc+aseg`` and ``wmparc`` of FreeSurfer: `FREESURFER`, with cortex and the white matter below it in parcels."""

FREESURFER_A2009S = _label_set("freesurfer-a2009s", ASEG, A2009S)
"""``aparc.a2009s+aseg`` of FreeSurfer: the same with Destrieux's parcels."""

_WIDER = {
    FREESURFER: _label_set("freesurfer", ASEG, RARE),
    FREESURFER_APARC: _label_set("freesurfer-aparc", ASEG, RARE, APARC),
    FREESURFER_A2009S: _label_set("freesurfer-a2009s", ASEG, RARE, A2009S),
}
_NOT_IN_SEG35 = {24, 72, *range(77, 86), *range(251, 256)}


def _seg35() -> LabelSet:
    structures = sorted(
        (value, name) for name, (value, _) in ASEG.items() if value not in _NOT_IN_SEG35
    )
    return LabelSet(
        name="neurite-seg35",
        labels=tuple(Label(i, name) for i, (_, name) in enumerate(structures, start=1)),
    )


NEURITE_SEG35 = _seg35()
"""``seg35`` of Neurite OASIS: structures of `FREESURFER`, numbered from 1 in the order of its values."""

_BUILT_IN = (
    OASIS,
    FSL_FAST,
    NEURITE_SEG4,
    NEURITE_SEG35,
    FREESURFER,
    FREESURFER_APARC,
    FREESURFER_A2009S,
    BIDS,
    ANTS,
    OASIS_PNG,
)

_ALIASES = {
    "fsl": "fsl-fast",
    "fast": "fsl-fast",
    "seg4": "neurite-seg4",
    "seg35": "neurite-seg35",
    "aseg": "freesurfer",
    "synthseg": "freesurfer-aparc",
    "aparc": "freesurfer-aparc",
    "aparc+aseg": "freesurfer-aparc",
    "aparcaseg": "freesurfer-aparc",
    "aparc.dktatlas+aseg": "freesurfer-aparc",
    "wmparc": "freesurfer-aparc",
    "a2009s": "freesurfer-a2009s",
    "aparc.a2009s+aseg": "freesurfer-a2009s",
}
"""Names by which people know the files that hold them."""


@dataclass(frozen=True)
class LabelSets(Mapping[str, LabelSet]):
    """Label sets by name: those of the tool, and those that plugins add.

    Args:
        added: The sets that the tool does not have itself, each with a name of its own.
    """

    added: tuple[LabelSet, ...] = ()

    @property
    def members(self) -> tuple[LabelSet, ...]:
        """All the sets, those of the tool first."""
        return (*_BUILT_IN, *self.added)

    def __getitem__(self, name: str) -> LabelSet:
        """Return the set of exactly this name."""
        for label_set in self.members:
            if label_set.name == name:
                return label_set
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return (label_set.name for label_set in self.members)

    def __len__(self) -> int:
        """Return the number of sets."""
        return len(self.members)

    def find(self, name: str) -> LabelSet | None:
        """Return the set that a user calls ``name``, or None if there is none.

        Args:
            name: Its name, in letters of either case, or one by which people know its files, such as ``aseg``.
        """
        typed = name.strip().casefold()
        requested = _ALIASES.get(typed, typed)
        return next((known for known in self.members if known.name.casefold() == requested), None)

    def find_by_identity(self, identity: str) -> LabelSet | None:
        """Return the set of which `identity_of` says this, or None if there is none."""
        return next((known for known in self.members if identity_of(known) == identity), None)

    def find_fitting(self, values: Iterable[int]) -> list[str]:
        """Return the names of the sets that have all of these values, 0 apart; the smallest of each family alone."""
        needed = set(values) - {0}
        fitting = [
            known.name for known in self.members if needed <= _values(include_rare_labels(known))
        ]
        redundant = {FSL_FAST.name}
        if FREESURFER.name in fitting:
            redundant |= {FREESURFER_APARC.name, FREESURFER_A2009S.name}
        return [name for name in fitting if name not in redundant]

    def with_sets(self, *others: LabelSet | None) -> LabelSets:
        """Return these sets and others; one whose name is taken already is left out, and so is None."""
        sets = self
        for other in others:
            if other is not None and sets.find(other.name) is None:
                sets = LabelSets((*sets.added, other))
        return sets


LABEL_SETS = LabelSets()
"""The sets that the tool has without any plugin."""


def names_of(label_set: LabelSet) -> tuple[str, ...]:
    """Return all the names under which `LabelSets.find` finds a set."""
    aliases = (alias for alias, name in _ALIASES.items() if name == label_set.name)
    return (label_set.name, *aliases)


def include_rare_labels(label_set: LabelSet) -> LabelSet:
    """Return the set that a map of ``label_set`` is read with: FreeSurfer's maps may hold what ``aseg`` does not."""
    return _WIDER.get(label_set, label_set)


def identity_of(label_set: LabelSet) -> str:
    """Return what tells a set from any other: its name, and a hash of its labels unless it is built in.

    What a plugin or a table calls so may be other labels tomorrow, or elsewhere.
    """
    if LABEL_SETS.get(label_set.name) == label_set:
        return label_set.name
    labels = json.dumps([asdict(label) for label in label_set.labels], ensure_ascii=False)
    return f"{label_set.name} ({hashlib.sha256(labels.encode()).hexdigest()[:16]})"


def _values(label_set: LabelSet) -> set[int]:
    return {label.value for label in label_set.labels}
