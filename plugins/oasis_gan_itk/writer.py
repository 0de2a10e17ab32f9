"""Writing MetaImage and NRRD through SimpleITK, which is silent on a full disk: so each file is read back.

Formats: https://itk.org/Wiki/ITK/MetaIO/Documentation and https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from oasis_gan import OasisGanError, Volume, write_whole

from .image import ItkImage

_COMPRESSION_LEVEL = (
    2  # of zlib: level 1 makes larger files, and those above take longer to save next to nothing
)
_ROUNDING = (
    1e-12  # NRRD stores the product of spacing and direction, from which both come back rounded
)


def write_metaimage(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a MetaImage file, compressed; nothing of the source but its grid is carried over.

    Origin, spacing and directions come back to the bit.

    Raises:
        OasisGanError: If a voxel is not finite, the grid is sheared, which the format cannot hold, or the file that was
            written holds something else.
        OSError: As the file system says; nothing is left under ``path``.
    """
    _write(volume, path)


def write_nrrd(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a NRRD file, gzipped; nothing of the source but its grid is carried over.

    Spacing and directions come back to the last digit but one: the format stores their product.

    Raises:
        OasisGanError: If a voxel is not finite, the grid is sheared, from which ITK would read other places, or the
            file that was written holds something else.
        OSError: As the file system says; nothing is left under ``path``.
    """
    _write(volume, path)


def _write(volume: Volume, path: Path) -> None:
    image = ItkImage.of(volume, path)
    itk = _simpleitk()
    with write_whole(path) as temporary:
        # ITK does not say why it cannot open a file, and Python does.
        temporary.touch()
        try:
            itk.WriteImage(image.to_simpleitk(itk), str(temporary), True, _COMPRESSION_LEVEL)
            written = ItkImage.from_simpleitk(itk.ReadImage(str(temporary)), itk)
        except RuntimeError as error:
            raise _not_written(path, _last_line(error)) from None
        if not written.same_as(image, _ROUNDING):
            raise _not_written(path, "something else")


def _not_written(path: Path, found: str) -> OasisGanError:
    remedy = "free some space, and check the disk"
    return OasisGanError(path, expected="the volume that was written", found=found, remedy=remedy)


def _last_line(error: RuntimeError) -> str:
    """Return what ITK says at the end, behind where in its sources it was."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _simpleitk() -> Any:  # noqa: ANN401 - SimpleITK has no types
    """Import SimpleITK when a file is written: it takes a while, and listing plugins does not need it."""
    with warnings.catch_warnings():
        # SWIG's own, about how it builds its types.
        warnings.simplefilter("ignore", DeprecationWarning)
        import SimpleITK
    return SimpleITK


__all__ = ["write_metaimage", "write_nrrd"]
