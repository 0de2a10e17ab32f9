"""Tell whether an encoding distinguishes left from right."""

from __future__ import annotations

import re

from .encoding import Encoding

_SIDE = re.compile(r"(?<![a-z])(left|right|lh|rh|l|r)(?![a-z])", re.IGNORECASE)
_SIDE_IN_WORD = re.compile(r"(?<=[a-z])(Left|Right)|(Left|Right)(?=[A-Z])")
_LETTER = re.compile(r"[^\W\d_]")


def is_mirror_symmetric(encoding: Encoding) -> bool:
    """Return whether an encoding still fits a volume whose left and right are exchanged.

    That of an image does. That of a label set does if the name of each label says what it is, and
    none says a side, as ``Left-Hippocampus`` or ``ctx-rh-insula`` do. Labels whose names are mere
    numbers do not, because any of them may be one side.
    """
    if encoding.content == "image":
        return True
    label_set = encoding.label_set
    if label_set is None:
        return False
    return all(_names_no_side(label.name) for label in label_set.labels)


def _names_no_side(name: str) -> bool:
    if _LETTER.search(name) is None:
        return False
    return _SIDE.search(name) is None and _SIDE_IN_WORD.search(name) is None
