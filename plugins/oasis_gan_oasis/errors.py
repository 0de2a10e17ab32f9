"""What can be wrong with a layout of OASIS, its zip or its slices: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from oasis_gan import OasisGanError

from .lists import list_numbers


class OtherFolderError(OasisGanError):
    """Targets were requested from another folder, but this layout keeps them with the sources.

    Args:
        expected: Where the targets are.
        suffix: An example of a suffix that selects targets.
    """

    def __init__(self, expected: str, suffix: str) -> None:
        super().__init__(
            "`target_root`",
            expected=expected,
            found="another folder",
            remedy=f"choose them with `target_suffix`, such as {suffix}",
        )


class NothingFoundError(OasisGanError):
    """A folder or zip holds nothing in the layout.

    Args:
        root: The folder or zip.
        expected: What it should hold.
        remedy: What to do.
    """

    def __init__(self, root: Path, expected: str, remedy: str) -> None:
        super().__init__(root, expected=expected, found="none", remedy=remedy)


class MissingImageError(OasisGanError):
    """A session has no image with a name like the one requested, or several.

    Args:
        pattern: What the path should look like.
        found: The images that match.
        option: The option that selects another image.
    """

    def __init__(self, pattern: Path, found: Iterable[Path], option: str) -> None:
        super().__init__(
            pattern.parent,
            expected=f"one image {pattern.name}",
            found=", ".join(path.name for path in found) or "none",
            remedy=f"complete the session, or choose another with {option}",
        )


class SuffixError(OasisGanError):
    """A suffix was given, but PNG slices are selected by folder.

    Args:
        option: The option that was given.
        suffix: Its value.
    """

    def __init__(self, option: str, suffix: str) -> None:
        super().__init__(
            f"`{option}`",
            expected="no suffix for OASIS PNG slices",
            found=suffix,
            remedy="name the folder of the sources, and `target_root`",
        )


class NoRegularZipError(OasisGanError):
    """A zip is a device, a pipe or a socket."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a zip file",
            found="no regular file",
            remedy="name a .zip file",
        )


class DamagedZipError(OasisGanError):
    """A zip cannot be opened, though it begins like one.

    Args:
        path: The zip.
        error: What `zipfile` says.
    """

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(
            path,
            expected="a whole zip file",
            found=f"a damaged or incomplete one ({error})",
            remedy="copy it again",
        )


class UnsafeZipError(OasisGanError):
    """A zip has a member that would be unpacked outside of it.

    Args:
        path: The zip.
        name: The member.
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(
            path,
            expected="members that stay in the zip",
            found=name,
            remedy="do not unpack it, and ask where it came from",
        )


class DamagedMemberError(OasisGanError):
    """A member of a zip is missing, or cannot be unpacked.

    Args:
        where: The member.
        error: What `zipfile` says.
    """

    def __init__(self, where: str, error: Exception) -> None:
        super().__init__(
            where,
            expected="a whole member",
            found=f"none, or a damaged one ({error})",
            remedy="copy the zip again",
        )


class UnsupportedMemberError(OasisGanError):
    """A member of a zip is encrypted, or compressed in a way that this reader does not know."""

    def __init__(self, where: str) -> None:
        super().__init__(
            where,
            expected="a plain or deflated member",
            found="one that is encrypted, or compressed in another way",
            remedy="pack the zip again",
        )


class LargeMemberError(OasisGanError):
    """A member of a zip would be too large when unpacked.

    Args:
        where: The member.
        limit: The largest size, bytes.
        size: Its size, bytes.
    """

    def __init__(self, where: str, limit: int, size: int) -> None:
        super().__init__(
            where,
            expected=f"at most {limit} bytes",
            found=f"{size}",
            remedy="leave it out",
        )


class NoSlicesError(OasisGanError):
    """A subject has no slices of its label map, or none of its MRI.

    Args:
        where: The subject.
        kind: ``label map`` or ``MRI``.
    """

    def __init__(self, where: str, kind: str) -> None:
        super().__init__(
            where,
            expected=f"slices of its {kind}",
            found="none",
            remedy="add them, or leave the subject out",
        )


class RepeatedSliceError(OasisGanError):
    """Several files of a subject have the same slice number.

    Args:
        where: The subject.
        names: The files.
    """

    def __init__(self, where: str, names: Sequence[PurePosixPath]) -> None:
        super().__init__(
            where,
            expected="one file for each slice",
            found=" and ".join(map(str, names)),
            remedy="remove one of the two",
        )


class SliceNumberError(OasisGanError):
    """The highest slice number of a subject is too high for a volume.

    Args:
        where: The subject.
        limit: How many slices a volume may have.
        number: The highest number.
    """

    def __init__(self, where: str, limit: int, number: int) -> None:
        super().__init__(
            where,
            expected=f"at most {limit} slices",
            found=f"slice number {number}",
            remedy="number them from 0, or raise `max_voxels`",
        )


class UnequalSlicesError(OasisGanError):
    """The slices of a subject differ in size or in bits per pixel.

    Args:
        where: The subject.
        first: Number of the first slice.
        expected: Its size and bits per pixel.
        other: Number of the slice that differs.
        found: Its size and bits per pixel.
    """

    def __init__(self, where: str, first: int, expected: str, other: int, found: str) -> None:
        super().__init__(
            where,
            expected=f"{expected} as in slice {first}",
            found=f"{found} in slice {other}",
            remedy="give all slices of a subject the same size and number of bits",
        )


class NotLabelsError(OasisGanError):
    """The pixels of a label map are not the labels 0 to 3, nor their multiples by 85 or 21845.

    Args:
        where: The subject.
        values: The pixels that occur.
    """

    def __init__(self, where: str, values: Sequence[int]) -> None:
        super().__init__(
            where,
            expected="labels 0, 85, 170, 255, or 0 to 3",
            found=list_numbers(values),
            remedy="give label maps that were never scaled nor compressed with loss "
            "(an MRI is no label map)",
        )


class NotFiniteError(OasisGanError):
    """A volume has a voxel that is not finite."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="finite voxels",
            found="NaN or Inf",
            remedy="a PNG cannot hold them",
        )
