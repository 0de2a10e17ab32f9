"""Names for output files: they carry the subject's name, fit any file system, and never collide."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence

from .datasets import Subject

_MAX_BYTES = 180  # of a name, which leaves room in the usual 255 for what is put behind it
_UNSAFE = {"Cc", "Cs", "Zl", "Zp"}  # control characters, surrogates, line and paragraph separators
_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # show a name in another order than it is in
_TAG = 8  # hexadecimal digits that tell apart what would collide


def output_names(subjects: Sequence[Subject]) -> list[str]:
    """Return a file name without ending for each subject, distinct even where upper and lower case are one.

    A name that two subjects share, or that is too long, gets the beginning of a hash of its source's path and of
    itself: the same subject has the same name in every run, in whatever company.
    """
    names = [_safe(subject.name) for subject in subjects]
    folded = [_folded(name) for name in names]
    count = Counter(folded)
    return [
        _tagged(name, subject) if count[fold] > 1 or len(name.encode()) > _MAX_BYTES else name
        for name, fold, subject in zip(names, folded, subjects, strict=True)
    ]


def _safe(name: str) -> str:
    """Keep every character but those that could leave the folder, break a line, disguise it or are no UTF-8."""
    return "".join("_" if _is_unsafe(c) else c for c in name).lstrip(".") or "subject"


def _is_unsafe(c: str) -> bool:
    return c in '/\\:*?"<>|' or unicodedata.category(c) in _UNSAFE or unicodedata.bidirectional(c) in _TURNING


def _folded(name: str) -> str:
    """Return what is equal for names that a file system could take for one (Unicode's canonical caseless match)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _tagged(name: str, subject: Subject) -> str:
    key = f"{subject.source.path.absolute()}\0{subject.name}"
    tag = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:_TAG]
    short = name.encode()[: _MAX_BYTES - _TAG - 1].decode("utf-8", "ignore")
    return f"{short}-{tag}"
