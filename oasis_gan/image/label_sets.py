"""The label sets that are known by name, and their other names.

Values and names:

- OASIS-1 ``FSL_SEG`` and FSL FAST: https://fsl.fmrib.ox.ac.uk/fsl/docs/structural/fast.html
- Neurite OASIS: ``seg4_labels.txt`` and ``seg35_labels.txt`` in its archive,
  https://github.com/adalca/medical-datasets/blob/master/neurite-oasis.md
- BIDS, "Common image-derived labels":
  https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html
- ANTs: the six classes of its ``antsCorticalThickness.sh``, https://github.com/ANTsX/ANTs
- FreeSurfer: see `oasis_gan.image.freesurfer`

FreeSurfer's grouping into tissues is the one that ``seg4`` was made with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from .freesurfer import A2009S, APARC, ASEG, RARE, Structures
from .labels import Label, LabelSet

_TISSUE_LABELS = (
    Label(1, "CSF"),
    Label(2, "GM"),
    Label(3, "WM"),
)

OASIS = LabelSet(name="oasis", labels=_TISSUE_LABELS)
"""The tissue maps of OASIS-1 (``FSL_SEG``)."""

OASIS_PNG = LabelSet(
    name="oasis-png",
    labels=(
        Label(85, "CSF"),
        Label(170, "GM"),
        Label(255, "WM"),
    ),
)
"""The same tissues as grey values of 8 bits, as in the OASIS PNG slices."""

FSL_FAST = LabelSet(name="fsl-fast", labels=_TISSUE_LABELS)
"""The tissue maps of FSL FAST on a T1w, which have the same values."""

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
"""The common labels of BIDS, which a ``dseg`` without a table has."""

ANTS = LabelSet(
    name="ants",
    labels=(
        *_TISSUE_LABELS,
        Label(4, "Subcortical-Gray-Matter"),
        Label(5, "Brain-Stem"),
        Label(6, "Cerebellum"),
    ),
)
"""The six classes of cortical thickness in ANTs."""

NEURITE_SEG4 = LabelSet(
    name="neurite-seg4",
    labels=(
        Label(1, "Cortex"),
        Label(2, "Subcortical-Gray-Matter"),
        Label(3, "White-Matter"),
        Label(4, "CSF"),
    ),
)
"""The tissues in ``seg4`` of Neurite OASIS."""


def _make_label_set(name: str, *tables: Structures) -> LabelSet:
    labels = []
    for table in tables:
        for structure, (value, _) in table.items():
            labels.append(Label(value, structure))
    return LabelSet(name=name, labels=tuple(labels))


FREESURFER = _make_label_set("freesurfer", ASEG)
"""The structures in ``aseg`` of FreeSurfer, and of SynthSeg, which uses the same values."""

FREESURFER_APARC = _make_label_set("freesurfer-aparc", ASEG, APARC)
"""The structures in ``aparc+aseg`` and ``wmparc`` of FreeSurfer.

They are those of `FREESURFER`, and parcels of the cortex and of the white matter below it.
"""

FREESURFER_A2009S = _make_label_set("freesurfer-a2009s", ASEG, A2009S)
"""The structures in ``aparc.a2009s+aseg`` of FreeSurfer: the same with Destrieux's parcels."""

_WITH_RARE = {
    FREESURFER: _make_label_set("freesurfer", ASEG, RARE),
    FREESURFER_APARC: _make_label_set("freesurfer-aparc", ASEG, RARE, APARC),
    FREESURFER_A2009S: _make_label_set("freesurfer-a2009s", ASEG, RARE, A2009S),
}
_NOT_IN_SEG35 = {24, 72, *range(77, 86), *range(251, 256)}


def _make_seg35() -> LabelSet:
    values = {value: name for name, (value, _) in ASEG.items() if value not in _NOT_IN_SEG35}
    names = [values[value] for value in sorted(values)]
    labels = [Label(number, name) for number, name in enumerate(names, start=1)]
    return LabelSet(name="neurite-seg35", labels=tuple(labels))


NEURITE_SEG35 = _make_seg35()
"""The structures in ``seg35`` of Neurite OASIS.

They are structures of `FREESURFER`, numbered from 1 in the order of its values.
"""

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
"""The names of files that hold labels of a set."""


@dataclass(frozen=True)
class LabelSets(Mapping[str, LabelSet]):
    """Label sets by name: those that are built in, and those that plugins add.

    Args:
        added: The sets that are not built in, each with a name of its own.
    """

    added: tuple[LabelSet, ...] = ()

    @property
    def members(self) -> tuple[LabelSet, ...]:
        """Return all the sets, the built-in ones first."""
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
            name: The name of the set or of its files, such as ``aseg``, in either case.
        """
        typed = name.strip().casefold()
        requested = _ALIASES.get(typed, typed)
        return next((known for known in self.members if known.name.casefold() == requested), None)

    def find_by_identity(self, identity: str) -> LabelSet | None:
        """Return the set that has this `identity_of`, or None if there is none."""
        return next((known for known in self.members if identity_of(known) == identity), None)

    def find_fitting(self, values: Iterable[int]) -> list[str]:
        """Return the names of the sets that have all of these values.

        Of sets that contain each other only the smallest is named, and 0 belongs to every set.
        """
        needed = set(values) - {0}
        fitting = [
            label_set.name
            for label_set in self.members
            if needed.issubset(include_rare_labels(label_set).values)
        ]
        redundant = {FSL_FAST.name}
        if FREESURFER.name in fitting:
            redundant |= {FREESURFER_APARC.name, FREESURFER_A2009S.name}
        return [name for name in fitting if name not in redundant]

    def with_sets(self, *others: LabelSet | None) -> LabelSets:
        """Return these sets and others, without None and without names that are taken already."""
        sets = self
        for other in others:
            if other is not None and sets.find(other.name) is None:
                sets = LabelSets((*sets.added, other))
        return sets


LABEL_SETS = LabelSets()
"""The sets that are built in."""


def names_of(label_set: LabelSet) -> tuple[str, ...]:
    """Return all the names under which `LabelSets.find` finds a set."""
    aliases = (alias for alias, name in _ALIASES.items() if name == label_set.name)
    return (label_set.name, *aliases)


def include_rare_labels(label_set: LabelSet) -> LabelSet:
    """Return the set for reading a map of ``label_set``.

    A map of FreeSurfer may have labels that ``aseg`` lacks. Other sets are returned unchanged.
    """
    return _WITH_RARE.get(label_set, label_set)


def identity_of(label_set: LabelSet) -> str:
    """Return a text that no other label set has.

    For a set that is not built in it holds a hash of the labels, because a plugin or a table may
    give other labels the same name tomorrow, or elsewhere.
    """
    if LABEL_SETS.get(label_set.name) == label_set:
        return label_set.name
    labels = json.dumps([asdict(label) for label in label_set.labels], ensure_ascii=False)
    digest = hashlib.sha256(labels.encode()).hexdigest()
    return f"{label_set.name} ({digest[:16]})"
