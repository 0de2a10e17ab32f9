"""Find the tissue of a structure by its name: CSF, GM, WM, or background.

Background is what lies outside the brain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .freesurfer import A2009S, APARC, ASEG, RARE, Structures

BACKGROUND = "background"
TISSUES = ("CSF", "GM", "WM")

_SPELLINGS = {
    "CSF": """
        csf, cerebrospinal fluid, cerebral spinal fluid, spinal fluid, liquor, ventricle,
        ventricles, ventricular csf, lateral ventricles, external csf, extra ventricular csf,
        extraventricular csf, sulcal csf, third ventricle, fourth ventricle, inferior lateral
        ventricle, choroid plexus
    """,
    "GM": """
        gm, gray, grey, gray matter, grey matter, cortex, cortical, cgm, cortical gm, cortical gray
        matter, cortical grey matter, cerebral gray matter, cerebral grey matter, sgm, dgm, scgm,
        subcortical gm, deep gm, subcortical gray matter, subcortical grey matter, deep gray matter,
        deep grey matter, basal ganglia, thalamus proper, nucleus accumbens, accumbens, substantia
        nigra, cerebellum, cerebellar cortex, cerebellar gm, cerebellar gray matter, cerebellar grey
        matter, amygdala, hippocampus
    """,
    "WM": """
        wm, white, white matter, cerebral wm, cerebral white matter, cerebellar wm, cerebellar white
        matter, bs, brain stem, brainstem, corpus callosum, internal capsule, ventral dc, wmh, wm
        hyperintensities, white matter hyperintensities, white matter hypointensities, normal
        appearing white matter, nawm
    """,
    BACKGROUND: """
        background, bg, back ground, outside, exterior, none, bone, bones, skull, cranium, soft
        tissue, soft tissues, non brain, nonbrain, not brain, extra cerebral, extracerebral, skin,
        scalp, head, muscle, fat, air, eye, eyes, eyeball, eyeballs, dura, meninges, mandible,
        sinus, face, teeth
    """,
}
_SIDES = {"left", "right", "lh", "rh", "l", "r", "bilateral"}
_STANDS_FOR_BOTH = {"cerebellum": "its white matter included"}


def tissue_of(name: str) -> str:
    """Return the tissue that a structure counts as, or an empty text if its name does not say it.

    Case, punctuation and the side of the body make no difference: ``Left-Thalamus-Proper*`` is
    ``thalamus proper``.
    """
    return _KNOWN.get(_simplify(name), "")


def describe_mixture(name: str) -> str:
    """Return what else is in a structure that counts as one tissue, or an empty text."""
    return _STANDS_FOR_BOTH.get(_simplify(name), "")


def is_background_name(name: str) -> bool:
    """Return whether a label is called background, and not after a structure outside the brain."""
    return _simplify(name) in {"background", "bg"}


def _simplify(name: str) -> str:
    """Return a name without case, punctuation and side; one that is only a side keeps it."""
    words = re.findall(r"[^\W_]+", name.casefold())
    without_side = [word for word in words if word not in _SIDES]
    return "".join(without_side or words)


def _index_tissues() -> Mapping[str, str]:
    """Return the tissue of each known name, as `_simplify` writes it."""
    tables: tuple[Structures, ...] = (RARE, A2009S, APARC, ASEG)
    known = {}
    for table in tables:
        for name, (_, tissue) in table.items():
            known[_simplify(name)] = tissue
    # Spellings come last, because they overrule the tables.
    for tissue, names in _SPELLINGS.items():
        for name in names.split(","):
            known[_simplify(name)] = tissue
    return known


_KNOWN = _index_tissues()
