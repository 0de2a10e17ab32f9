"""What the contracts have in common."""

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
"""What the tool shows to a user in one line: the first has a remedy, the second a file name."""


def assert_listed(name: object, summary: object) -> None:
    """Check what `oasis-gan plugins` shows of an offer: a word to type, and a line."""
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
    """Fail with the sentence ``otherwise`` if nothing is raised; other exceptions than ``kinds`` are named."""
    try:
        yield
    except kinds:
        return
    except Exception as error:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise AssertionError(
            f"raised {type(error).__name__} ({error}): raise {wanted} with a remedy"
        ) from error
    raise AssertionError(otherwise)


@contextmanager
def calls_of(functions: Iterable[Callable[..., object]]) -> Iterator[list[str]]:
    """Note the names of these functions as they are called; what is not written in Python goes unseen."""
    watched = {code for function in functions if (code := _code(function)) is not None}
    called: list[str] = []

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code in watched:
            called.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield called
    finally:
        sys.setprofile(before)


def _code(function: Callable[..., object]) -> CodeType | None:
    """Return the code that runs when ``function`` is called, whatever it is wrapped in."""
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    own = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return own if isinstance(own, CodeType) else None


def assert_volume(volume: object, where: object) -> None:
    """Check that something read is a 3-D volume of numbers with a place in space."""
    assert isinstance(volume, Volume), (
        f"{where}: the reader gave {type(volume).__name__}: return a Volume"
    )
    voxels, geometry = volume.voxels, volume.geometry
    assert voxels.ndim == 3, (
        f"{where}: voxels have {voxels.ndim} dimensions: split them into 3-D volumes"
    )
    assert voxels.size, f"{where}: there is no voxel in shape {voxels.shape}"
    assert voxels.dtype.kind in "iuf", (
        f"{where}: voxels are {voxels.dtype}: convert them to integers or floats"
    )
    assert geometry.affine.shape == (4, 4), (
        f"{where}: the affine has shape {geometry.affine.shape}: make it 4x4"
    )
    assert np.isfinite(geometry.affine).all(), (
        f"{where}: the affine holds NaN or Inf: refuse such a file"
    )
    assert (geometry.affine[3] == [0, 0, 0, 1]).all(), (
        f"{where}: the affine's last row is not 0 0 0 1"
    )
    assert min(geometry.spacing) > 0, (
        f"{where}: the spacing is {geometry.spacing}: refuse such a file"
    )
    volume_mm3 = abs(float(np.linalg.det(geometry.affine[:3, :3])))
    assert volume_mm3 > 0, f"{where}: the affine flattens a voxel: refuse such a file"
