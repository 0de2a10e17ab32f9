"""What can be wrong with a file: a class for each kind of fault, which makes the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import OasisGanError
from ..image.errors import abbreviate
from ..image.labels import LabelSet

_EXPORT_AGAIN = "export it again from the tool it came from"


class UnusableFileError(OasisGanError):
    """A file does not hold what it should.

    Args:
        path: The file.
        expected: What it should hold.
        found: What it holds.
        remedy: What to do about it.
    """

    def __init__(
        self, path: object, expected: str, found: str, remedy: str = _EXPORT_AGAIN
    ) -> None:
        super().__init__(path, expected=expected, found=found, remedy=remedy)


class BytesLostError(UnusableFileError):
    """A disk gives back other bytes than were written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "the bytes written", "others", "check the disk")


class FileTooLargeError(UnusableFileError):
    """A file that should be small is not."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(path, f"at most {most} bytes", "more", "name another file")


class NoRegularFileError(UnusableFileError):
    """A name is that of a folder, a pipe or a device."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a regular file", "another kind", "name a file")


class PathTakenError(UnusableFileError):
    """Something is in the place where a new file or folder should go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "a new path", "something there", "name another, or remove it")


class OutputTakenError(UnusableFileError):
    """Somebody has put a file where an output was about to go."""

    def __init__(self, path: Path) -> None:
        found = "a file that was put there meanwhile"
        super().__init__(path, "a free name", found, "use another `out`")


class OutputIsFolderError(UnusableFileError):
    """A folder has the name of an output."""

    def __init__(self, path: Path, remedy: str) -> None:
        super().__init__(path, "a file, or a free name", "a folder", remedy)


class FolderHeldError(UnusableFileError):
    """Another process works in a folder that one process at a time may use.

    Args:
        folder: The folder.
        holder: The process.
        doing: What both processes want to do there, such as ``training``.
    """

    def __init__(self, folder: Path, holder: str, doing: str) -> None:
        expected = f"a folder that no {doing} holds"
        remedy = "wait until it has ended, or stop it"
        super().__init__(folder, expected, f"{holder} {doing} in it", remedy)


class RepeatedKeyError(UnusableFileError):
    """An object in a JSON text has a key twice."""

    def __init__(self, where: object, key: str) -> None:
        remedy = "take a whole copy of it, or remove one of the two"
        super().__init__(where, "each key once", f"{key} twice", remedy)


class AmbiguousNameError(UnusableFileError):
    """Several files have the same name but for case and accents."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        remedy = "rename them, so that they differ by more than case or accents"
        super().__init__(path, "one file of this name", " and ".join(names), remedy)


class DimensionsError(UnusableFileError):
    """A header does not describe a volume of three dimensions."""

    def __init__(self, path: Path, sizes: Sequence[int], remedy: str = _EXPORT_AGAIN) -> None:
        super().__init__(path, "a 3-D volume", f"dimensions {list(sizes)}", remedy)


class TooManyVoxelsError(UnusableFileError):
    """A header describes a volume that is larger than is allowed."""

    def __init__(self, path: Path, sizes: Sequence[int], most: int) -> None:
        remedy = "crop it, or raise `max_voxels`"
        super().__init__(path, f"at most {most} voxels", f"dimensions {list(sizes)}", remedy)


class VoxelTypeError(UnusableFileError):
    """Voxels are neither integers nor floats."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(path, "integer or float voxels", found, remedy)


class VoxelSizesError(UnusableFileError):
    """A header gives voxel sizes that no head can have.

    Args:
        path: The file.
        sizes: The sizes as they stand in the header.
        expected: What would have been right.
    """

    def __init__(self, path: Path, sizes: object, expected: str = "voxel sizes of a head") -> None:
        super().__init__(path, expected, f"pixdim {sizes}", "fix the header")


class ShearError(UnusableFileError):
    """The axes of a volume are far from perpendicular."""

    def __init__(self, path: Path, shear: float) -> None:
        remedy = "resample it onto a grid with perpendicular axes"
        super().__init__(path, "perpendicular axes", f"a shear of {shear:.2g}", remedy)


class NoAffineError(UnusableFileError):
    """A header gives an sform or a qform, and none that can be inverted."""

    def __init__(self, path: Path, notes: Sequence[str]) -> None:
        remedy = "set one in the header"
        super().__init__(path, "an invertible sform or qform", "; ".join(notes), remedy)


class FirstVoxelError(UnusableFileError):
    """A header says that voxels begin where they cannot."""

    def __init__(self, path: Path, first: int, offset: float) -> None:
        super().__init__(path, f"voxels from byte {first} on", f"vox_offset {offset:g}")


class IncompleteVoxelsError(UnusableFileError):
    """A file ends before its voxels do."""

    def __init__(self, path: Path, expected: int, found: int) -> None:
        remedy = "copy it again, it is incomplete"
        super().__init__(path, f"{expected} bytes of voxels", f"{found}", remedy)


class TrailingBytesError(UnusableFileError):
    """A file goes on after its voxels."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(path, f"at most {most} bytes after the voxels", "more")


class DamagedGzipError(UnusableFileError):
    """A gzip file is damaged or incomplete."""

    def __init__(self, path: Path, reason: object) -> None:
        found = f"a damaged or incomplete one ({reason})"
        super().__init__(path, "a whole gzip file", found, "copy it again")


class BytesBehindGzipError(UnusableFileError):
    """Something that is no gzip follows the gzip stream of a file."""

    def __init__(self, path: Path, start: str) -> None:
        found = f"other bytes behind the gzip stream {start}"
        remedy = "download it again, or repack it: gzip -dc FILE | gzip > NEW.nii.gz"
        super().__init__(path, "nothing behind the volume", found, remedy)


class PartialVolumesError(UnusableFileError):
    """A file holds fractions of tissues, which are neither labels nor an MRI."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(path, "a label map or an MRI", found, remedy)


class LabelTableError(UnusableFileError):
    """A table of labels cannot be used."""

    def __init__(self, path: Path, found: str, remedy: str = "fix the table") -> None:
        expected = "a table of labels with the columns index and name, or index and tissue"
        super().__init__(path, expected, found, remedy)


class UnknownLabelsError(UnusableFileError):
    """A label map has values that its label set lacks.

    Args:
        path: The label map.
        label_set: The label set.
        unknown: The values that are not in it.
        remedy: What to do about them.
    """

    def __init__(
        self, path: Path, label_set: LabelSet, unknown: Sequence[float], remedy: str
    ) -> None:
        labels = [f"{label.value} {label.name}" for label in label_set.labels]
        known = abbreviate(["0 background", *labels])
        found = abbreviate([f"{value:g}" for value in unknown])
        super().__init__(path, f"labels {known} ({label_set.name})", found, remedy)


class LabelCodingError(UnusableFileError):
    """The tissues of a label map do not lie as in a head, so that its values must mean others.

    Args:
        path: The label map.
        reading: What the values seem to mean, such as ``1 CSF, 2 GM, 3 WM``.
        name: The name of the label set that says so.
        found: How the tissues lie.
        remedy: How to say what the values mean.
    """

    def __init__(self, path: Path, reading: str, name: str, found: str, remedy: str) -> None:
        expected = f"white matter within grey matter, if the values are {reading} ({name})"
        super().__init__(path, expected, found, remedy)
