"""oneDNN, whose convolutions TensorFlow leaves out by itself on processors without AVX-512 or AMX."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"


@contextmanager
def prefer_onednn() -> Iterator[None]:
    """Make a TensorFlow that is imported within compute with oneDNN, if nobody has said otherwise.

    Learning takes a quarter less time by it. Translating does not: weights would be laid out anew for every batch.
    """
    said = _VARIABLE in os.environ
    os.environ.setdefault(_VARIABLE, "1")
    try:
        yield
    finally:
        if not said:
            del os.environ[_VARIABLE]
