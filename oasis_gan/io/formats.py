"""Recognise files that are not readable volumes: other formats, and links to absent content."""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ..errors import OasisGanError
from .errors import UnrecognisedFileError, UnrecognisedFolderError, UnusableFileError
from .folders import walk_files

READ = "a volume in NIfTI (.nii.gz, .hdr), MGH (.mgz), NRRD (.nrrd), MetaImage (.mha) or MINC"
_FETCH = "fetch it with datalad get or git annex get"
_MOST_FILES = 10_000  # of a folder that are looked at to describe it
_SHOWN = 3  # of the names of other files
_START = 256  # bytes of a file that are enough to recognise it


class Format(NamedTuple):
    """A format that the tool does not read: its description, and what to do about it."""

    found: str
    remedy: str

    def make_error(self, where: object, expected: str) -> UnusableFileError:
        """Return the error that a file has this format instead of the expected one."""
        return UnusableFileError(where, expected, self.found, self.remedy)


def _make_itk_format(name: str) -> Format:
    remedy = (
        "convert it to .nii.gz, for example with SimpleITK's ReadImage and WriteImage "
        "or with 3D Slicer"
    )
    return Format(name, remedy)


def _make_picture_format(name: str) -> Format:
    return Format(
        f"a {name} picture, which has no place in space",
        "give the volume that it was made of, as .nii.gz",
    )


def _make_packed_format(name: str, command: str) -> Format:
    return Format(f"a file compressed with {name}", f"unpack it with {command}")


_NRRD = Format("an NRRD file", "give it a name that ends in .nrrd")
_META = Format("a MetaImage file", "give it a name that ends in .mha")
_DICOM = Format("a DICOM file", "convert the series to .nii.gz with dcm2niix")
_MINC = Format("a MINC file", "give it a name that ends in .mnc")
_NUMPY = Format(
    "a NumPy array, which does not say where its voxels lie", "save it as .nii.gz with nibabel"
)
_TABLE = Format(
    "a table that is not tab-separated",
    "save it as .tsv, with tabs between the columns source and target",
)
_AFNI = Format("an AFNI file", "convert it with 3dAFNItoNIFTI")
_MRTRIX = Format("an MRtrix file", "convert it with mrconvert")
_SURFACE = Format("a surface, which has no voxels", "give the volume, as .nii.gz or .mgz")
_ARCHIVE = Format("an archive", "unpack it and give the folder")
_WEB_PAGE = Format("a web page, perhaps that of a login", "download the file again, signed in")

_BY_ENDING = {
    ".gipl": _make_itk_format("a GIPL file"),
    ".gipl.gz": _make_itk_format("a GIPL file"),
    ".vtk": _make_itk_format("a VTK file"),
    ".vti": _make_itk_format("a VTK file"),
    ".dcm": _DICOM,
    ".ima": _DICOM,
    ".mnc.gz": _make_packed_format("gzip", "gunzip"),
    ".npy": _NUMPY,
    ".npz": _NUMPY,
    ".jpg": _make_picture_format("JPEG"),
    ".jpeg": _make_picture_format("JPEG"),
    ".png": _make_picture_format("PNG"),
    ".tif": _make_picture_format("TIFF"),
    ".tiff": _make_picture_format("TIFF"),
    ".bmp": _make_picture_format("BMP"),
    ".gif": _make_picture_format("GIF"),
    ".webp": _make_picture_format("WebP"),
    ".head": _AFNI,
    ".brik": _AFNI,
    ".brik.gz": _AFNI,
    ".mif": _MRTRIX,
    ".mif.gz": _MRTRIX,
    ".gii": _SURFACE,
    ".gii.gz": _SURFACE,
    ".csv": _TABLE,
    ".txt": _TABLE,
    ".xls": _TABLE,
    ".xlsx": _TABLE,
    ".ods": _TABLE,
    ".mat": Format("a MATLAB file", "save the volume as .nii.gz, for example with niftiwrite"),
    ".h5": Format("an HDF5 file", "save the volume as .nii.gz with nibabel"),
    ".hdf5": Format("an HDF5 file", "save the volume as .nii.gz with nibabel"),
    ".m3z": Format(
        "a deformation of FreeSurfer, which is no volume", "give a volume, as .nii.gz or .mgz"
    ),
    ".bz2": _make_packed_format("bzip2", "bunzip2"),
    ".xz": _make_packed_format("xz", "unxz"),
    ".lzma": _make_packed_format("lzma", "unlzma"),
    ".zst": _make_packed_format("zstd", "unzstd"),
    ".z": _make_packed_format("compress", "uncompress"),
    ".zip": _ARCHIVE,
    ".tar": _ARCHIVE,
    ".tar.gz": _ARCHIVE,
    ".tgz": _ARCHIVE,
    ".7z": _ARCHIVE,
    ".rar": _ARCHIVE,
    ".html": _WEB_PAGE,
    ".htm": _WEB_PAGE,
    ".json": Format("a JSON file", "give the volume that it belongs to"),
}
_BESIDE_IMAGES = {_TABLE, _BY_ENDING[".json"]}
_GZIP = Format(
    "a gzip file of another name", "give it a name that ends in .nii.gz, if it holds a NIfTI volume"
)
_BY_START = (
    (
        rb"version https://[\w.-]+/spec/v\d",
        Format(
            "a pointer of git LFS: the content has not been fetched", "fetch it with git lfs pull"
        ),
    ),
    (
        rb"[^\0\n]{0,4096}annex/objects/",
        Format("a pointer of git-annex: the content has not been fetched", _FETCH),
    ),
    (rb"(?i)\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<html)", _WEB_PAGE),
    (rb"(?i)\s*<", Format("a text in XML or HTML", "download the file again")),
    (rb"NRRD000", _NRRD),
    (rb"(ObjectType|NDims|Comment)\s*=", _META),
    (rb".{128}DICM", _DICOM),
    (rb"\x89PNG\r\n", _make_picture_format("PNG")),
    (rb"\xff\xd8\xff", _make_picture_format("JPEG")),
    (rb"II\*\0|MM\0\*", _make_picture_format("TIFF")),
    (rb"GIF8[79]a", _make_picture_format("GIF")),
    (rb"BM.{4}\0\0\0\0", _make_picture_format("BMP")),
    (rb"RIFF.{4}WEBP", _make_picture_format("WebP")),
    (rb"\x93NUMPY", _NUMPY),
    (rb"CDF[\x01\x02]", _MINC),
    (
        rb"\x89HDF\r\n",
        Format(
            "an HDF5 file, as MINC and MATLAB write it",
            "give it a name that ends in .mnc if it is MINC, or else convert it to .nii.gz",
        ),
    ),
    (
        rb"MATLAB 5\.0 MAT-file",
        Format("a MATLAB file", "save the volume as .nii.gz, for example with niftiwrite"),
    ),
    (rb"mrtrix image", _MRTRIX),
    (rb"BZh[1-9]", _make_packed_format("bzip2", "bunzip2")),
    (rb"\xfd7zXZ\0", _make_packed_format("xz", "unxz")),
    (rb"\x28\xb5\x2f\xfd", _make_packed_format("zstd", "unzstd")),
    (rb"\x1f\x9d", _make_packed_format("compress", "uncompress")),
    (rb"PK\x03\x04|PK\x05\x06|7z\xbc\xaf|Rar!", _ARCHIVE),
    (rb"\x1f\x8b", Format("a file that is compressed twice", "unpack it once with gunzip")),
)


def format_of_content(start: bytes) -> Format | None:
    """Return the format of a file by its first 256 bytes, or None if it is not recognised."""
    for pattern, found in _BY_START:
        if re.match(pattern, start, re.DOTALL):
            return found
    return None


def format_of_name(name: str) -> Format | None:
    """Return the format of a file by the ending of its name, or None if it is not recognised."""
    endings = [ending for ending in _BY_ENDING if name.lower().endswith(ending)]
    if not endings:
        return None
    longest = max(endings, key=len)
    return _BY_ENDING[longest]


def describe_missing_content(path: Path) -> Format | None:
    """Return what is at ``path`` instead of a file: nothing, or a dangling link; else None."""
    if path.exists():
        return None
    # Path.is_symlink raises if a path is too long; this does not.
    if not os.path.islink(path):  # noqa: PTH114
        return Format("no such file", "check the path")
    target = os.readlink(path)  # noqa: PTH115
    if "annex/objects" in target.replace("\\", "/"):
        return Format("a link to content that has not been fetched", _FETCH)
    return Format(f"a link that leads nowhere ({target})", "fetch the file, or correct the link")


def require_content(path: Path, expected: str) -> None:
    """Raise `OasisGanError` if nothing is at ``path``, or a link to content not yet fetched."""
    found = describe_missing_content(path)
    if found is not None:
        raise found.make_error(path, expected)


def refuse_content(where: object, expected: str, start: bytes) -> None:
    """Raise `OasisGanError` if the first bytes of a file are those of another known format.

    Args:
        where: The file, for the error.
        expected: The expected format.
        start: The first 256 bytes of the file, or all if there are fewer.
    """
    found = format_of_content(start)
    if found is not None:
        raise found.make_error(where, expected)


def explain_unrecognised(root: Path, readers: str) -> OasisGanError:
    """Return the error for a file or folder that no reader recognises, with its format if known.

    Args:
        root: The file or folder, which exists.
        readers: The names of the readers.
    """
    if root.is_dir():
        return _explain_folder(root, readers)
    found = _format_of_file(root)
    if found is not None:
        return found.make_error(root, READ)
    return UnrecognisedFileError(root, readers)


def _format_of_file(path: Path) -> Format | None:
    start = _read_start(path)
    by_name = format_of_name(path.name)
    if start.startswith(b"\x1f\x8b"):
        # Its content is not unpacked, because its name does not say that it is a volume.
        return by_name or _GZIP
    return format_of_content(start) or by_name


def _read_start(path: Path) -> bytes:
    """Return the first bytes of a regular file, or none if it cannot be read."""
    with suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                return file.read(_START)
    return b""


def _explain_folder(root: Path, readers: str) -> OasisGanError:
    """Return the error for a folder, about its most frequent format of volumes or pictures."""
    names = [path.name for path in islice(walk_files(root), _MOST_FILES)]
    examples: dict[Format, str] = {}
    counts: Counter[Format] = Counter()
    for name in names:
        found = format_of_name(name)
        if found is not None and found not in _BESIDE_IMAGES:
            examples.setdefault(found, name)
            counts[found] += 1
    if not counts:
        return UnrecognisedFolderError(root, readers, names[:_SHOWN])
    ((found, count),) = counts.most_common(1)
    shown = f"{count} files such as {examples[found]} ({found.found})"
    return UnusableFileError(root, READ, shown, found.remedy)
