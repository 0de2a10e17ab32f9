"""Find the structures that two label sets have in common, though each divides them differently.

Both sides of the body count as one structure. The parcels of the cortex are ``Cerebral-Cortex``;
the white matter below them, the corpus callosum and hypointensities are ``Cerebral-White-Matter``.
That is how FreeSurfer's ``aparc+aseg`` and ``wmparc`` divide those of ``aseg``,
https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/AnatomicalROI/FreeSurferColorLUT.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ..image.freesurfer import ASEG
from ..image.labels import LabelSet
from ..image.tissues import TISSUES, is_background_name
from ..image.volume import Mask, Volume

_SIDES = {"left", "right", "lh", "rh", "l", "r", "bilateral"}
_PARCELS = (
    (re.compile("ctx[lr]h.*|ctx(left|right).*"), "Cerebral-Cortex"),
    (re.compile("wm[lr]h.*|(left|right)unsegmentedwhitematter"), "Cerebral-White-Matter"),
    (
        re.compile("cc(posterior|midposterior|central|midanterior|anterior)"),
        "Cerebral-White-Matter",
    ),
    (re.compile("(left|right)?wmhypointensities"), "Cerebral-White-Matter"),
)
"""What belongs to a larger structure, by its name in small letters and digits alone."""
_OTHER_NAMES = {
    "inflatvent": "Inferior-Lateral-Ventricle",
    "thalamusproper": "Thalamus",
    "cerebralwm": "Cerebral-White-Matter",
    "cerebellarcortex": "Cerebellum-Cortex",
    "cerebellarwhitematter": "Cerebellum-White-Matter",
    "accumbens": "Accumbens-area",
    "nucleusaccumbens": "Accumbens-area",
    "thirdventricle": "3rd-Ventricle",
    "fourthventricle": "4th-Ventricle",
}


@dataclass(frozen=True, eq=False)
class StructureMap:
    """The structures of a head, each of which has a number.

    Args:
        volume: 0 where there is none, 1 where the first of them is.
        names: The names of all structures that the label set distinguishes, even if this head
            lacks some of them.
    """

    volume: Volume
    names: tuple[str, ...]

    def mask_of(self, name: str) -> Mask:
        """Return the mask of a structure."""
        number = self.names.index(name) + 1
        return np.asarray(self.volume.voxels == number)


def name_structure(label: str) -> str:
    """Return the structure that a label belongs to; empty if it is a tissue or background."""
    key = _make_key(label)
    for pattern, structure in _PARCELS:
        if pattern.fullmatch(key):
            return structure
    name = _remove_side(label)
    if name in TISSUES or is_background_name(name):
        return ""
    key = _make_key(name)
    return _OTHER_NAMES.get(key) or _USUAL_NAMES.get(key) or name


def _split_words(label: str) -> list[str]:
    words = re.split(r"[\W_]+", label)
    return [word for word in words if word]


def _remove_side(label: str) -> str:
    words = _split_words(label)
    without_side = [word for word in words if word.casefold() not in _SIDES]
    # A label may be called nothing but "left".
    return "-".join(without_side or words)


def _make_key(name: str) -> str:
    """Return the letters and digits of a name, all of them small."""
    return "".join(_split_words(name)).casefold()


_USUAL_NAMES = {_make_key(_remove_side(label)): _remove_side(label) for label in ASEG}
"""The structures of FreeSurfer as it writes them."""


def group_structures(volume: Volume, label_set: LabelSet) -> StructureMap:
    """Return the structures of a label map.

    Args:
        volume: Values of ``label_set``.
        label_set: What they mean.
    """
    names: dict[int, str] = {}
    for label in label_set.labels:
        name = name_structure(label.name)
        if name:
            names[label.value] = name
    # Several labels may be one structure, such as its left and its right half.
    structures = tuple(dict.fromkeys(names.values()))
    numbers = {value: structures.index(name) + 1 for value, name in names.items()}
    # Looking up each value once is much faster than looking up each voxel.
    values, places = np.unique(volume.voxels, return_inverse=True)
    found = [numbers.get(int(value), 0) for value in values]
    voxels = np.array(found, np.uint16)[places]
    grouped = Volume(voxels.reshape(volume.voxels.shape), volume.geometry)
    return StructureMap(grouped, structures)


def find_common(first: StructureMap, second: StructureMap) -> tuple[str, ...]:
    """Return the structures that two label sets have in common, in the order of the first."""
    common = [name for name in first.names if name in second.names]
    return tuple(common)
