"""What can be wrong with a file: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import OasisGanError

EXPORT_AGAIN = "export it again from the tool it came from"


class UnusableFileError(OasisGanError):
    """A file does not hold what it should.

    Args:
        path: The file.
        expected: What it should hold.
        found: What it holds.
        remedy: What to do about it.
    """

    def __init__(self, path: object, expected: str, found: str, remedy: str = EXPORT_AGAIN) -> None:
        super().__init__(
            path,
            expected=expected,
            found=found,
            remedy=remedy,
        )


class BytesLostError(UnusableFileError):
    """A disk returns other bytes than were written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="the bytes that were written",
            found="other bytes",
            remedy="check the disk",
        )


class FileTooLargeError(UnusableFileError):
    """A file that should be small is not."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(
            path,
            expected=f"at most {most} bytes",
            found="more",
            remedy="name another file",
        )


class NotRegularFileError(UnusableFileError):
    """A name is that of a folder, a pipe or a device."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a regular file",
            found="another kind",
            remedy="name a file",
        )


class PathTakenError(UnusableFileError):
    """A file or folder already has the path of a new one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a new path",
            found="a file or a folder there",
            remedy="choose another path, or remove it",
        )


class OutputTakenError(UnusableFileError):
    """A file has appeared where an output was about to go."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a free name",
            found="a file that was put there meanwhile",
            remedy="use another `out`",
        )


class OutputIsFolderError(UnusableFileError):
    """A folder has the name of an output."""

    def __init__(self, path: Path, remedy: str) -> None:
        super().__init__(
            path,
            expected="a file, or a free name",
            found="a folder",
            remedy=remedy,
        )


class FolderHeldError(UnusableFileError):
    """Another process is working in a folder that only one process at a time may use.

    Args:
        folder: The folder.
        holder: The process.
        doing: What both processes do there, such as ``training``.
    """

    def __init__(self, folder: Path, holder: str, doing: str) -> None:
        super().__init__(
            folder,
            expected=f"a folder that no {doing} holds",
            found=f"{holder} {doing} in it",
            remedy="wait until it has ended, or stop it",
        )


class RepeatedKeyError(UnusableFileError):
    """An object in a JSON text has the same key twice."""

    def __init__(self, where: object, key: str) -> None:
        super().__init__(
            where,
            expected="each key once",
            found=f"{key} twice",
            remedy="copy it again, or remove one of the two",
        )


class AmbiguousNameError(UnusableFileError):
    """Several files have names that differ only in case and accents."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        super().__init__(
            path,
            expected="one file of this name",
            found=" and ".join(names),
            remedy="rename them, so that they differ by more than case or accents",
        )


class WrongHeaderError(UnusableFileError):
    """A file does not begin with a header of its format.

    Args:
        path: The file.
        expected: The header that was expected.
        size: The number of bytes that were read.
        needed: The number of bytes that such a header has.
        remedy: What to do about it.
    """

    def __init__(self, path: Path, expected: str, size: int, needed: int, remedy: str) -> None:
        super().__init__(
            path,
            expected=expected,
            found=f"{size} bytes" if size < needed else "another format",
            remedy=remedy,
        )


class DimensionsError(UnusableFileError):
    """A header does not describe a 3-D volume."""

    def __init__(self, path: Path, sizes: Sequence[int], remedy: str = EXPORT_AGAIN) -> None:
        super().__init__(
            path,
            expected="a 3-D volume",
            found=f"dimensions {list(sizes)}",
            remedy=remedy,
        )


class TooManyVoxelsError(UnusableFileError):
    """A header describes a volume with more voxels than are allowed."""

    def __init__(self, path: Path, sizes: Sequence[int], most: int) -> None:
        super().__init__(
            path,
            expected=f"at most {most} voxels",
            found=f"dimensions {list(sizes)}",
            remedy="crop it, or raise `max_voxels`",
        )


class VoxelTypeError(UnusableFileError):
    """Voxels are neither integers nor floats."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(
            path,
            expected="integer or float voxels",
            found=found,
            remedy=remedy,
        )


class VoxelSizesError(UnusableFileError):
    """A header has voxel sizes that no head can have.

    Args:
        path: The file.
        sizes: The sizes in the header.
        expected: What would have been right.
    """

    def __init__(self, path: Path, sizes: object, expected: str = "voxel sizes of a head") -> None:
        super().__init__(
            path,
            expected=expected,
            found=f"pixdim {sizes}",
            remedy="fix the header",
        )


class ShearError(UnusableFileError):
    """The axes of a volume are far from perpendicular."""

    def __init__(self, path: Path, shear: float) -> None:
        super().__init__(
            path,
            expected="perpendicular axes",
            found=f"a shear of {shear:.2g}",
            remedy="resample it onto a grid with perpendicular axes",
        )


class NoAffineError(UnusableFileError):
    """A header has an sform or a qform, but none that can be inverted."""

    def __init__(self, path: Path, notes: Sequence[str]) -> None:
        super().__init__(
            path,
            expected="an invertible sform or qform",
            found="; ".join(notes),
            remedy="set one in the header",
        )


class FirstVoxelError(UnusableFileError):
    """A header gives an impossible offset for the first voxel."""

    def __init__(self, path: Path, first: int, offset: float) -> None:
        super().__init__(
            path,
            expected=f"voxels from byte {first} on",
            found=f"vox_offset {offset:g}",
        )


class NoVoxelsError(UnusableFileError):
    """A file ends before its voxels begin."""

    def __init__(self, path: Path, first: int) -> None:
        super().__init__(
            path,
            expected=f"voxels from byte {first} on",
            found="a shorter file",
            remedy="copy it again",
        )


class IncompleteVoxelsError(UnusableFileError):
    """A file ends before its voxels do."""

    def __init__(self, path: Path, expected: int, found: int) -> None:
        super().__init__(
            path,
            expected=f"{expected} bytes of voxels",
            found=f"{found}",
            remedy="copy it again, it is incomplete",
        )


class TrailingBytesError(UnusableFileError):
    """A file has more bytes after its voxels than are allowed."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(
            path,
            expected=f"at most {most} bytes after the voxels",
            found="more",
        )


class DamagedGzipError(UnusableFileError):
    """A gzip file is damaged or incomplete."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            path,
            expected="a whole gzip file",
            found=f"a damaged or incomplete one ({reason})",
            remedy="copy it again",
        )


class BytesBehindGzipError(UnusableFileError):
    """Bytes that are not gzip follow the gzip stream of a file."""

    def __init__(self, path: Path, start: str) -> None:
        super().__init__(
            path,
            expected="nothing after the volume",
            found=f"other bytes after the gzip stream {start}",
            remedy="download it again, or repack it: gzip -dc FILE | gzip > NEW.nii.gz",
        )


class UnrecognisedFileError(UnusableFileError):
    """No reader recognises a file."""

    def __init__(self, path: Path, readers: str) -> None:
        super().__init__(
            path,
            expected=f"something that a dataset plugin reads ({readers})",
            found="a file of an unknown kind",
            remedy="convert it to .nii.gz, or choose its reader with `dataset`",
        )


class UnrecognisedFolderError(UnusableFileError):
    """No reader recognises a folder.

    Args:
        path: The folder.
        readers: The names of the readers.
        names: The names of some files in the folder.
    """

    def __init__(self, path: Path, readers: str, names: Sequence[str]) -> None:
        super().__init__(
            path,
            expected=f"something that a dataset plugin reads ({readers})",
            found=f"other files, such as {', '.join(names)}" if names else "no files",
            remedy="check the folder, or choose a reader with `dataset`",
        )
