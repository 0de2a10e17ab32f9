"""Read the series of a DICOM folder, or a multi-frame file, as a volume.

GDCM decodes the pixels. The order of the slices and their geometry come from their positions alone,
because names and numbers of files say nothing reliable about either. Format:
https://dicom.nema.org/medical/dicom/current/output/html/part03.html (C.7.6.2)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..image.choices import MAX_VOXELS
from ..image.volume import Affine, Geometry, Volume, Voxels
from .dicom_errors import (
    MissingSlicesError,
    MixedImagesError,
    NoSeriesError,
    RepeatedPositionError,
    SeveralSeriesError,
    SingleImageError,
    UndecodableImageError,
    UnevenSlicesError,
)
from .dicom_header import (
    Header,
    Slice,
    is_dicom,
    lacks_image,
    make_reader,
    read_header,
    read_slices,
)
from .folders import list_files
from .itk import import_simpleitk
from .nifti_space import check_shear
from .text_header import make_affine
from .voxels import require_3d

_EVEN = 0.01
"""How far a slice may lie from its place in an even stack, as a share of the spacing."""
_SAME = 1e-3
"""The largest difference that scanners make by rounding, in mm and in unit vectors."""
_LPS = np.array([-1.0, -1.0, 1.0])  # times RAS+


@dataclass(frozen=True)
class Series:
    """The files of a series that makes a volume.

    Args:
        files: The files, in the order of their names.
        notes: What else is in the folder.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def holds_dicom(folder: Path) -> bool:
    """Tell whether a DICOM file is directly in a folder; one that cannot be listed holds none."""
    try:
        return folder.is_dir() and any(is_dicom(path) for path in list_files(folder))
    except OSError:
        return False


def choose_series(path: Path) -> Series:
    """Return the only series of a folder that makes a volume, or the series of a file.

    Raises:
        NoSeriesError: If there is none.
        SeveralSeriesError: If there are several in a folder.
    """
    if path.is_dir():
        return _choose_in_folder(path)
    own = read_header(path)
    if own is None:
        raise UndecodableImageError(path)
    if own.frames > 1 or not own.series:
        return Series((path,))
    headers, _ = _read_headers(path.parent)
    return Series(tuple(header.path for header in headers if header.series == own.series))


def _choose_in_folder(folder: Path) -> Series:
    headers, others = _read_headers(folder)
    groups: dict[object, list[Header]] = {}
    for header in headers:
        # A multi-frame file is a volume of its own, whatever series it says it belongs to.
        key = header.path if header.frames > 1 or not header.series else header.series
        groups.setdefault(key, []).append(header)
    volumes = [group for group in groups.values() if _may_be_volume(group)]
    if not volumes:
        found = [_describe(group) for group in groups.values()]
        raise NoSeriesError(folder, "; ".join(found[:3]) or "no DICOM image")
    if len(volumes) > 1:
        raise SeveralSeriesError(folder, [_describe(group) for group in volumes])
    (chosen,) = volumes
    left = [*(header.path for header in headers if header not in chosen), *others]
    return Series(tuple(header.path for header in chosen), _note_left_out(left))


def _note_left_out(paths: Sequence[Path]) -> tuple[str, ...]:
    if not paths:
        return ()
    note = f"{len(paths)} DICOM files of other series, or without an image, are left out"
    return (f"{note}, such as {paths[0].name}",)


def _read_headers(folder: Path) -> tuple[list[Header], list[Path]]:
    """Return the headers of the DICOM images in a folder, and the DICOM files without an image.

    Raises:
        UndecodableImageError: If an image cannot be read, perhaps one of this series.
    """
    headers: list[Header] = []
    others: list[Path] = []
    for path in list_files(folder):
        if not is_dicom(path):
            continue
        header = read_header(path)
        if header is not None:
            headers.append(header)
        elif lacks_image(path):
            others.append(path)
        else:
            raise UndecodableImageError(path)
    return headers, others


def _may_be_volume(group: Sequence[Header]) -> bool:
    """Tell whether images can be those of a volume; those of a localiser have several directions.

    Images that do not fit together for another reason are tried, so that the user hears of it.
    """
    count = sum(header.frames for header in group)
    orientations = Counter(header.place[1] for header in group)
    # A scan has many slices of each direction that it has.
    return count > 1 and len(orientations) < max(count, 2) and group[0].components == 1


def _describe(group: Sequence[Header]) -> str:
    first = group[0]
    count = sum(header.frames for header in group)
    columns, rows = first.size
    number = f"series {first.number}" if first.number.isdecimal() else "a series"
    images = "1 image" if count == 1 else f"{count} images"
    return f"{number} ({images} of {columns} x {rows}, such as {first.path.name})"


def read_dicom(
    path: Path,
    names: Sequence[str] = (),
    notes: tuple[str, ...] = (),
    max_voxels: int = MAX_VOXELS,
) -> Volume:
    """Read a volume from the files of a series.

    Slices are ordered by their positions, from the first side of the normal to the other. Slope and
    intercept of each file are applied.

    Args:
        path: One of the files; it may be the only one, with many frames.
        names: The names of all files of the series, in the same folder.
        notes: What to note besides.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the files make no volume: the message says which of them is the reason.
        OSError: If a file cannot be read.
    """
    headers = [_require_header(path.with_name(name)) for name in names or (path.name,)]
    size = _require_one_size(headers)
    count = sum(header.frames for header in headers)
    shape = require_3d([*size, count], path, max_voxels)
    slices = _order([one for header in headers for one in read_slices(header)])
    geometry = Geometry(shape, _make_affine(slices, path))
    voxels = _read_voxels(slices, shape)
    return Volume(voxels, geometry, notes + check_shear(geometry, path))


def _require_header(path: Path) -> Header:
    header = read_header(path)
    if header is None:
        raise UndecodableImageError(path)
    return header


def _require_one_size(headers: Sequence[Header]) -> tuple[int, int]:
    first = headers[0]
    for header in headers:
        if header.size != first.size:
            raise MixedImagesError(header.path, "number of rows and columns")
    return first.size


def _order(slices: list[Slice]) -> list[Slice]:
    """Return slices along their normal.

    Raises:
        OasisGanError: If they are not parallel, or not one beside the other.
    """
    first = slices[0]
    if len(slices) < 2:
        raise SingleImageError(first.path)
    for one in slices:
        if not np.allclose(one.axes, first.axes, rtol=_SAME, atol=_SAME):
            raise MixedImagesError(one.path, "orientation and pixel spacing")
    normal = np.cross(first.axes[:, 0], first.axes[:, 1])
    normal /= np.linalg.norm(normal)
    ordered = sorted(slices, key=lambda one: float(one.position @ normal))
    _require_even(ordered, normal)
    return ordered


def _require_even(slices: Sequence[Slice], normal: Affine) -> None:
    """Raise `OasisGanError` unless each slice is one step further than the one before."""
    positions = np.array([one.position for one in slices])
    steps = np.diff(positions @ normal)
    spacing = float(np.median(steps))
    for index, step in enumerate(steps.tolist()):
        if step <= _EVEN * spacing or step < _SAME:
            raise RepeatedPositionError(slices[index + 1].path, slices[index].path)
        if step > 1.5 * spacing:
            raise MissingSlicesError(slices[index].path, spacing, step)
    places = np.linspace(positions[0], positions[-1], len(slices))
    distances = np.linalg.norm(positions - places, axis=1)
    worst = int(distances.argmax())
    if distances[worst] > max(_EVEN * spacing, _SAME):
        raise UnevenSlicesError(slices[worst].path, float(distances[worst]))


def _make_affine(slices: Sequence[Slice], path: Path) -> Affine:
    first = slices[0]
    step = (slices[-1].position - first.position) / (len(slices) - 1)
    axes = np.column_stack([first.axes, step])
    return make_affine(_LPS[:, np.newaxis] * axes, _LPS * first.position, path)


def _read_voxels(slices: Sequence[Slice], shape: tuple[int, int, int]) -> Voxels:
    """Return the pixels of all slices, in the smallest type that holds those of each."""
    # A file of many frames is read once.
    images: dict[Path, Voxels] = {one.path: _read_pixels(one.path) for one in slices}
    dtype = np.result_type(*{image.dtype for image in images.values()})
    voxels = np.empty(shape, dtype, order="F")
    for index, one in enumerate(slices):
        voxels[..., index] = images[one.path][one.frame].T
    return voxels


def _read_pixels(path: Path) -> Voxels:
    """Return the frames of a file: (frames, rows, columns)."""
    itk = import_simpleitk()
    try:
        image = make_reader(path, itk).Execute()
    except RuntimeError as error:
        raise UndecodableImageError(path) from error
    pixels: Voxels = itk.GetArrayFromImage(image)
    return pixels
