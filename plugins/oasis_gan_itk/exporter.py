"""Write MetaImage and NRRD through SimpleITK, and read each file back.

SimpleITK reports no error when the disk is full.

Formats: https://itk.org/Wiki/ITK/MetaIO/Documentation and https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

from pathlib import Path

from oasis_gan import SYNTHETIC_MARK, Volume, import_simpleitk, write_whole

from .errors import NotWrittenError
from .image import ItkImage

_COMPRESSION_LEVEL = 2
"""Of zlib: level 1 makes larger files; higher levels take longer and save next to nothing."""
_ROUNDING = 1e-12
"""NRRD stores the product of spacing and direction, so that both come back rounded."""


def write_metaimage(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a compressed MetaImage file.

    Origin, spacing and directions are exact. Nothing else is copied from the source; ``Comment`` is
    `SYNTHETIC_MARK`.

    Raises:
        OasisGanError: If a voxel is not finite, the grid is sheared, which the format cannot hold,
            or the file holds something else afterwards.
        OSError: If the file cannot be written; nothing is left under ``path``.
    """
    _write(volume, path, "Comment")


def write_nrrd(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a gzipped NRRD file.

    Spacing and directions are exact up to the last digit but one, because the format stores their
    product. Nothing else is copied from the source; ``content`` is `SYNTHETIC_MARK`.

    Raises:
        OasisGanError: If a voxel is not finite, the grid is sheared, which ITK would misread, or
            the file holds something else afterwards.
        OSError: If the file cannot be written; nothing is left under ``path``.
    """
    _write(volume, path, "NRRD_content")


def _write(volume: Volume, path: Path, description: str) -> None:
    """Write a volume in the format that the name of the file asks for.

    Args:
        volume: What to write.
        path: The file.
        description: What ITK calls the field of the format that describes a file.
    """
    image = ItkImage.from_volume(volume, path)
    itk = import_simpleitk()
    picture = image.to_simpleitk(itk)
    picture.SetMetaData(description, SYNTHETIC_MARK)
    with write_whole(path) as temporary:
        # Unlike ITK, Python says why a file cannot be opened.
        temporary.touch()
        try:
            itk.WriteImage(picture, str(temporary), True, _COMPRESSION_LEVEL)
            written = ItkImage.from_simpleitk(itk.ReadImage(str(temporary)), itk)
        except RuntimeError as error:
            raise NotWrittenError(path, _last_line(error)) from None
        if not written.equals(image, _ROUNDING):
            raise NotWrittenError(path, "something else")


def _last_line(error: RuntimeError) -> str:
    """Return the last line of an error of ITK; the lines before say where in its code it was."""
    message = str(error).rstrip()
    return message.rpartition("\n")[2].strip() or type(error).__name__


__all__ = ["write_metaimage", "write_nrrd"]
