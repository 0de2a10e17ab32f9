"""Writing NRRD (``.nrrd``), the format of 3D Slicer: a text header and the voxels in one file.

Format: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from isal import igzip

from oasis_gan import Volume, write_atomically

from .image import ItkImage, numbers

_TYPES = {"float32": "float", "float64": "double"}  # integers are called as NumPy calls them


def write_nrrd(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a NRRD file, gzipped; nothing of the source but its grid is carried over.

    Raises:
        OasisGanError: If a voxel is not finite, or the grid is sheared: the format can hold that, but ITK reads
            other places from it.
        OSError: As the file system says; nothing is left under ``path``.
    """
    image = ItkImage.of(volume, path)
    steps = (direction * size for direction, size in zip(image.directions, image.spacing, strict=True))
    fields = {
        "type": _TYPES.get(image.dtype, image.dtype),
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, image.size)),
        "space directions": " ".join(_vector(step) for step in steps),
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "gzip",
        "space origin": _vector(image.origin),
        "space units": '"mm" "mm" "mm"',
    }
    header = "".join(f"{name}: {value}\n" for name, value in fields.items())
    # No time stamp, so that equal volumes are equal files.
    write_atomically(path, f"NRRD0004\n{header}\n".encode("ascii") + igzip.compress(image.data, mtime=0))


def _vector(values: Iterable[float]) -> str:
    return f"({numbers(values).replace(' ', ',')})"
