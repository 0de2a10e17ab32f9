"""What the name of a file says of its values: names of BIDS, FreeSurfer, FSL, OASIS and Neurite OASIS.

- BIDS: https://bids-specification.readthedocs.io/en/stable/common-principles.html#filenames
- fMRIPrep: https://fmriprep.org/en/stable/outputs.html
- FSL FAST: https://fsl.fmrib.ox.ac.uk/fsl/docs/structural/fast.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..image.label_sets import (
    FREESURFER,
    FREESURFER_A2009S,
    FREESURFER_APARC,
    FSL_FAST,
    NEURITE_SEG4,
    NEURITE_SEG35,
    OASIS,
)
from ..image.labels import LabelSet
from . import endings

_OTHER_ENDING = re.compile(r"\.(?:nrrd|mha|mhd|npy|npz|zip|png)$", re.IGNORECASE)
_ENTITIES = re.compile(r"(?:[a-z]+-[a-z0-9+]+_)+", re.IGNORECASE)
_DSEG = re.compile(r"(?:.*_)?dseg", re.IGNORECASE)
_IMAGES = re.compile(
    r"(?:.*_)?(?:t1w|t2w|t1rho|t1map|t2map|t2star|t2starw|flair|flash|pd|pdw|pdt2|inplanet1|inplanet2|angio|unit1|"
    r"bold|sbref|cbv|epi|dwi|asl|m0scan|mp2rage|megre|swi|chimap|mtw|probseg)",
    re.IGNORECASE,
)
_INDICES = {"run", "echo", "inv", "split"}
_NEURITE = re.compile(r"(?:aligned_|slice_)?(seg\d+)", re.IGNORECASE)
_NEURITE_SETS = {"seg4": NEURITE_SEG4, "seg35": NEURITE_SEG35}
_FREESURFER_WORDS: Mapping[str, LabelSet] = {
    "wmparc": FREESURFER_APARC,
    "aparcaseg": FREESURFER_APARC,
    "synthseg": FREESURFER_APARC,
    "aparc": FREESURFER_APARC,
    "aseg": FREESURFER,
}
"""Words of a name, the first that is met counts."""
_LABEL_WORDS = (
    "seg",
    "label",
    "parc",
    "aparc",
    "aseg",
    "wmparc",
    "atlas",
    "structure",
    "region",
    "tissue",
    "roi",
)
_CHANGED = {
    "oasis",
    "fsl",
    "fast",
    "tissue",
    "tissues",
    "seg3",
    "seg4",
    "mask",
    "bids",
    "remapped",
    "relabelled",
}
_CHANGED |= {"relabeled", "recoded", "3class", "classes", "probseg", "prob", "dist", "edges"}
"""Words by which a file tells that it has other values than FreeSurfer's, though it comes from there."""


def stem_of(path: Path) -> str:
    """Return the name of a volume without what says its format."""
    name = endings.stem_of(path.name)
    other = _OTHER_ENDING.search(name) if name == path.name else None
    return name[: other.start()] if other else name


def entities_of(stem: str) -> Mapping[str, str]:
    """Return keys and values of the BIDS entities in a name, ``run-01`` as ``run-1``; none where it is no such name."""
    match = _ENTITIES.match(stem)
    pairs = [part.split("-", 1) for part in match[0].rstrip("_").split("_")] if match else []
    return {key: (value.lstrip("0") or "0") if key in _INDICES else value for key, value in pairs}


def is_dseg(stem: str) -> bool:
    """Whether a name is that of a discrete segmentation in BIDS; no other convention uses this suffix."""
    return _DSEG.fullmatch(stem) is not None


def is_image(stem: str) -> bool:
    """Whether a name is that of an MRI in BIDS, or of a map of probabilities: no label map."""
    return _IMAGES.fullmatch(stem) is not None


def looks_like_label_map(stem: str) -> bool:
    """Whether a name has a word for a label map in it: a colour table in the same folder is meant for such files."""
    words = re.split(r"[^a-z]+", stem.casefold())
    return any(word.startswith(_LABEL_WORDS) or word.endswith("seg") for word in words)


def label_set_by_name(path: Path) -> LabelSet | None:
    """Return the label set that a file's name gives away, or None where it may be anything."""
    stem = stem_of(path)
    neurite = _NEURITE.fullmatch(stem)
    if neurite:
        return _NEURITE_SETS.get(neurite[1].casefold())
    if is_image(stem):
        return None
    if is_dseg(stem):
        return _by_entities(entities_of(stem))
    if stem.casefold().endswith("_fseg"):
        return OASIS
    if _is_of_fast(path, stem):
        return FSL_FAST
    return _by_words(stem)


def names_neurite_seg24(path: Path) -> bool:
    """Whether a file is called as the label maps of 24 structures in Neurite OASIS, whose coding is not published."""
    neurite = _NEURITE.fullmatch(stem_of(path))
    return neurite is not None and neurite[1].casefold() == "seg24"


def _by_entities(entities: Mapping[str, str]) -> LabelSet | None:
    for key in ("desc", "seg", "atlas"):
        found = _by_words(entities.get(key, ""))
        if found is not None:
            return found
    return None


def _by_words(name: str) -> LabelSet | None:
    words = re.split(r"[^a-z0-9]+", name.casefold())
    if _CHANGED & set(words):
        return None
    if any(word.startswith("a2009s") for word in words):
        return FREESURFER_A2009S
    return next((label_set for word, label_set in _FREESURFER_WORDS.items() if word in words), None)


def _is_of_fast(path: Path, stem: str) -> bool:
    """Whether a file is a hard segmentation of FAST: alone ``_seg`` may be anybody's, but not beside ``_pveseg``.

    On a T2w FAST numbers the tissues the other way round.
    """
    lower = stem.casefold()
    if re.search(r"t2|pd|flair", lower):
        return False
    if lower.endswith("_pveseg"):
        return True
    if not lower.endswith("_seg"):
        return False
    base = stem[: -len("_seg")]
    siblings = (
        f"{base}_{of}{end}" for of in ("pveseg", "mixeltype") for end in (".nii.gz", ".nii")
    )
    return any(path.with_name(sibling).exists() for sibling in siblings)
