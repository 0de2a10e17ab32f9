"""Checks that several contracts share."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType, FrameType

import numpy as np

from ..errors import OasisGanError
from ..image.volume import Volume

USERS_ERRORS = (OasisGanError, OSError)
"""Exceptions that the tool shows to a user in one line, with a remedy or a file name."""


def assert_listed(name: object, summary: object) -> None:
    """Check that a name is one word and a summary is one line, as `oasis-gan plugins` needs."""
    assert isinstance(name, str), f"the name is {name!r}: make it a word"
    assert name.isprintable() and name.split() == [name], (
        f"the name {name!r} cannot be typed as one word"
    )
    assert isinstance(summary, str), f"the summary is {summary!r}: make it a line of text"
    assert summary.strip() and summary.isprintable(), (
        f"the summary {summary!r} is not one line of text"
    )


@contextmanager
def must_raise(kinds: tuple[type[Exception], ...], otherwise: str) -> Iterator[None]:
    """Fail with ``otherwise`` if nothing is raised, or if an exception is not of ``kinds``."""
    try:
        yield
    except kinds:
        return
    except Exception as error:
        expected = " or ".join(kind.__name__ for kind in kinds)
        found = f"{type(error).__name__} ({error})"
        raise AssertionError(f"raised {found}: raise {expected} with a remedy") from error
    raise AssertionError(otherwise)


@contextmanager
def record_calls(functions: Iterable[Callable[..., object]]) -> Iterator[list[str]]:
    """Record the name of each of these functions when it is called, if it is written in Python."""
    watched = {_find_code(function) for function in functions}
    called: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code in watched:
            called.append(frame.f_code.co_name)

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(previous)


def _find_code(function: Callable[..., object]) -> CodeType | None:
    """Return the code that runs when ``function`` is called, without its wrappers."""
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if not code:
        code = getattr(type(function).__call__, "__code__", None)
    return code if isinstance(code, CodeType) else None


def assert_volume(volume: object, where: object) -> None:
    """Check that a reader returned a 3-D volume of numbers with a valid affine."""
    assert isinstance(volume, Volume), (
        f"{where}: the reader gave {type(volume).__name__}: return a Volume"
    )
    voxels = volume.voxels
    spacing = volume.geometry.spacing
    affine = volume.geometry.affine
    assert voxels.ndim == 3, (
        f"{where}: voxels have {voxels.ndim} dimensions: split them into 3-D volumes"
    )
    assert voxels.size, f"{where}: there is no voxel in shape {voxels.shape}"
    assert voxels.dtype.kind in "iuf", (
        f"{where}: voxels are {voxels.dtype}: convert them to integers or floats"
    )
    assert affine.shape == (4, 4), f"{where}: the affine has shape {affine.shape}: make it 4x4"
    assert np.isfinite(affine).all(), f"{where}: the affine holds NaN or Inf: refuse such a file"
    assert (affine[3] == [0, 0, 0, 1]).all(), f"{where}: the affine's last row is not 0 0 0 1"
    assert min(spacing) > 0, f"{where}: the spacing is {spacing}: refuse such a file"
    volume_mm3 = abs(float(np.linalg.det(affine[:3, :3])))
    assert volume_mm3 > 0, f"{where}: the affine flattens a voxel: refuse such a file"
