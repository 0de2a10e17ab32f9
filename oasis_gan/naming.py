"""Names for output files: they carry the subject's name, fit any file system, and never collide."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Sequence

from .datasets import Subject

_MAX_BYTES = 180  # of a name, which leaves room in the usual 255 for what is put behind it
_TAG = 8  # hexadecimal digits that tell apart what would collide


def output_names(subjects: Sequence[Subject]) -> list[str]:
    """Return a file name without ending for each subject, distinct even where upper and lower case are one.

    A name that two subjects share, or that is too long, gets the beginning of a hash of its source's path: the
    same source has the same name in every run, in whatever company.
    """
    names = [_safe(subject.name) for subject in subjects]
    folded = [unicodedata.normalize("NFC", name).casefold() for name in names]
    count = Counter(folded)
    return [
        _tagged(name, subject) if count[fold] > 1 or len(os.fsencode(name)) > _MAX_BYTES else name
        for name, fold, subject in zip(names, folded, subjects, strict=True)
    ]


def _safe(name: str) -> str:
    """Keep every character but those that could leave the folder or break a line."""
    kept = "".join("_" if c in '/\\:*?"<>|' or unicodedata.category(c) == "Cc" else c for c in name)
    return kept.lstrip(".") or "subject"


def _tagged(name: str, subject: Subject) -> str:
    tag = hashlib.sha256(os.fsencode(subject.source.path.absolute())).hexdigest()[:_TAG]
    short = os.fsencode(name)[: _MAX_BYTES - _TAG - 1].decode("utf-8", "ignore")
    return f"{short}-{tag}"
