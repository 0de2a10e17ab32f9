"""Recognise label sets by file names: those of BIDS, FreeSurfer, FSL, OASIS and Neurite OASIS.

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
    r"(?:.*_)?(?:t1w|t2w|t1rho|t1map|t2map|t2star|t2starw|flair|flash|pd|pdw|pdt2|inplanet1|"
    r"inplanet2|angio|unit1|bold|sbref|cbv|epi|dwi|asl|m0scan|mp2rage|megre|swi|chimap|mtw|probseg)",
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
"""The words of a name that tell its label set; the first row that matches counts."""
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
# The values of these files are not FreeSurfer's, even where its word stands in the name.
_OTHER_VALUES = {
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
    "relabeled",
    "recoded",
    "3class",
    "classes",
    "probseg",
    "prob",
    "dist",
    "edges",
}


def stem_of(path: Path) -> str:
    """Return the name of a volume without the ending of its format, readable or not."""
    name = endings.stem_of(path.name)
    if name == path.name:
        return _OTHER_ENDING.sub("", name)
    return name


def entities_of(stem: str) -> Mapping[str, str]:
    """Return the BIDS entities in a name, such as ``{"sub": "01", "run": "1"}``, if it has any.

    Indices lose their leading zeros: ``run-01`` and ``run-1`` are the same run.
    """
    match = _ENTITIES.match(stem)
    if match is None:
        return {}
    entities = {}
    for entity in match[0].rstrip("_").split("_"):
        key, value = entity.split("-", 1)
        entities[key] = (value.lstrip("0") or "0") if key in _INDICES else value
    return entities


def is_dseg(stem: str) -> bool:
    """Tell whether a name is that of a discrete segmentation in BIDS; only BIDS uses ``dseg``."""
    return _DSEG.fullmatch(stem) is not None


def is_image(stem: str) -> bool:
    """Tell whether a name is that of an MRI or a probability map in BIDS, not of a label map."""
    return _IMAGES.fullmatch(stem) is not None


def looks_like_label_map(stem: str) -> bool:
    """Tell whether a word in a name suggests a label map; a colour table beside it applies then."""
    words = re.split(r"[^a-z]+", stem.casefold())
    return any(word.startswith(_LABEL_WORDS) or word.endswith("seg") for word in words)


def find_label_set_by_name(path: Path) -> LabelSet | None:
    """Return the label set that the name of a file implies, or None if it implies none."""
    stem = stem_of(path)
    neurite = _NEURITE.fullmatch(stem)
    if neurite:
        return _NEURITE_SETS.get(neurite[1].casefold())
    if is_image(stem):
        return None
    if is_dseg(stem):
        return _find_by_entities(entities_of(stem))
    if stem.casefold().endswith("_fseg"):
        return OASIS
    if _is_of_fast(path, stem):
        return FSL_FAST
    return _find_by_words(stem)


def names_neurite_seg24(path: Path) -> bool:
    """Tell whether a file has the name of Neurite OASIS' seg24, whose labels are not published."""
    neurite = _NEURITE.fullmatch(stem_of(path))
    return neurite is not None and neurite[1].casefold() == "seg24"


def _find_by_entities(entities: Mapping[str, str]) -> LabelSet | None:
    for key in ("desc", "seg", "atlas"):
        found = _find_by_words(entities.get(key, ""))
        if found is not None:
            return found
    return None


def _find_by_words(name: str) -> LabelSet | None:
    words = re.split(r"[^a-z0-9]+", name.casefold())
    if not _OTHER_VALUES.isdisjoint(words):
        return None
    if any(word.startswith("a2009s") for word in words):
        return FREESURFER_A2009S
    for word, label_set in _FREESURFER_WORDS.items():
        if word in words:
            return label_set
    return None


def _is_of_fast(path: Path, stem: str) -> bool:
    """Tell whether a file is a hard segmentation of FSL FAST.

    Names that end in ``_seg`` may come from any program, unless another file of FAST is beside.
    """
    lower = stem.casefold()
    if re.search(r"t2|pd|flair", lower):
        # In a T2w, FAST numbers the tissues in reverse order.
        return False
    if lower.endswith("_pveseg"):
        return True
    if not lower.endswith("_seg"):
        return False
    base = stem[: -len("_seg")]
    for output in ("pveseg", "mixeltype"):
        for ending in endings.NIFTI_ENDINGS:
            if path.with_name(f"{base}_{output}{ending}").exists():
                return True
    return False
