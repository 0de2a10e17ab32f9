"""Turn on oneDNN, which TensorFlow leaves off on some processors, and choose how it gets memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ENABLE = "TF_ENABLE_ONEDNN_OPTS"
_RETURN_MEMORY = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"


@contextmanager
def prefer_onednn() -> Iterator[None]:
    """Make TensorFlow use oneDNN if it is imported in this context.

    A choice that the environment makes is respected.

    Training is a quarter faster with it. Translating is not, because weights would be rearranged
    for every batch.
    """
    with _set_default_variable(_ENABLE):
        yield


@contextmanager
def return_memory() -> Iterator[None]:
    """Make oneDNN return memory to the system if TensorFlow first uses it in this context.

    Otherwise it keeps all memory that it has ever used. A choice that the environment makes is
    respected.
    """
    with _set_default_variable(_RETURN_MEMORY):
        yield


@contextmanager
def _set_default_variable(name: str) -> Iterator[None]:
    """Set a variable of the environment to 1 in this context, unless it has a value."""
    is_set = name in os.environ
    os.environ.setdefault(name, "1")
    try:
        yield
    finally:
        if not is_set:
            del os.environ[name]
