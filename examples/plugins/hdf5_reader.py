"""Reads the HDF5 files that ITK and SimpleITK write: one file, or a folder of them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

import oasis_gan as og

ENDING = ".hdf5"
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])  # ITK's axes point left, posterior and superior


def read(path: Path, max_voxels: int) -> og.Volume:
    """Read a volume. Whatever SimpleITK raises becomes a line for this file."""
    import SimpleITK  # here, since it takes a while and listing plugins does not need it

    og.require_content(path, "an HDF5 file of ITK")
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()  # the header alone
    size = reader.GetSize()
    if len(size) != 3 or np.prod(size, dtype=float) > max_voxels:
        expected = f"three dimensions and at most {max_voxels} voxels"
        raise og.OasisGanError(path, expected=expected, found=f"{size}", remedy="crop it")
    affine = np.eye(4)
    affine[:3, :3] = LPS_TO_RAS @ np.reshape(reader.GetDirection(), (3, 3)) * reader.GetSpacing()
    affine[:3, 3] = LPS_TO_RAS @ reader.GetOrigin()
    # SimpleITK's arrays have the slowest axis first.
    return og.Volume(SimpleITK.GetArrayFromImage(reader.Execute()).T, og.Geometry(size, affine))


def find(root: Path, suffix: str = "") -> list[Path]:
    """Return a file, or those in a folder, that are called like HDF5 and end in a suffix."""
    paths = og.walk_files(root) if root.is_dir() else [root]
    ending = suffix.removesuffix(ENDING) + ENDING
    return [path for path in paths if path.name.endswith(ending)]


def subjects(selection: og.Selection) -> Iterator[og.Subject]:
    """List the files of a selection; nothing is read yet."""
    root = selection.root
    files = find(root, selection.source_suffix)
    if not files:
        raise og.OasisGanError(root, expected="HDF5 files", found="none", remedy="check the path")
    for path in files:
        name = path.relative_to(root if root.is_dir() else root.parent).with_suffix("")
        scan = og.Scan(path, partial(read, max_voxels=selection.max_voxels))
        yield og.Subject("_".join(name.parts), scan)


@og.hookimpl
def oasis_gan_datasets() -> Iterator[og.Dataset]:
    """Offer the reader."""
    yield og.Dataset(
        name="hdf5", summary="HDF5", open=subjects, recognises=lambda p: any(find(p)), generic=True
    )
