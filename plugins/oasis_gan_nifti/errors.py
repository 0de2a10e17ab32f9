"""What can be wrong with NIfTI files, with pairs of them and with tables of pairs.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oasis_gan import OasisGanError

TABLE_COLUMNS = "tab-separated columns source and target"
_SHOWN = 3
_CORRECT_TABLE = "correct the table"


class NoVolumesError(OasisGanError):
    """A folder holds no volume that was requested.

    Args:
        root: The folder.
        suffix: How the names of the requested files end; empty for all volumes.
        others: The names of the volumes that are there.
    """

    def __init__(self, root: Path, suffix: str, others: Sequence[str]) -> None:
        found = "none"
        if others:
            found += ", but " + ", ".join(others[:_SHOWN])
        if len(others) > _SHOWN:
            found += f" and {len(others) - _SHOWN} more"
        super().__init__(
            root,
            expected=f"files named *{suffix or '.nii, *.nii.gz, *.mgz, *.nrrd or *.mha'}",
            found=found,
            remedy="check the folder and the suffix",
        )


class NoTargetError(OasisGanError):
    """The target of a source is missing, while files with similar names are there.

    Args:
        path: Where the target was expected.
        source: The source.
        similar: Names of files that may be the target.
        remedy: The option that would select one of them.
    """

    def __init__(self, path: Path, source: Path, similar: Sequence[str], remedy: str) -> None:
        super().__init__(
            path,
            expected=f"the target of {source.name}",
            found=", ".join(similar[:_SHOWN]),
            remedy=remedy,
        )


class OwnTargetError(OasisGanError):
    """A source would be its own target."""

    def __init__(self, source: Path) -> None:
        super().__init__(
            source,
            expected="a target beside it",
            found="itself",
            remedy="name another suffix",
        )


class SeveralTargetsError(OasisGanError):
    """Several files can be the target, because a suffix has no ending.

    Args:
        path: One of the files.
        names: The names of all of them.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        super().__init__(
            path,
            expected="one target",
            found=" and ".join(names),
            remedy="give `target_suffix` with its ending",
        )


class TableError(OasisGanError):
    """A file is no table of pairs.

    Args:
        table: The file.
        found: What it holds instead.
        remedy: What to do.
    """

    def __init__(self, table: Path, found: str, remedy: str = _CORRECT_TABLE) -> None:
        super().__init__(table, expected=TABLE_COLUMNS, found=found, remedy=remedy)


class EmptyTableError(OasisGanError):
    """A table has no row below its header."""

    def __init__(self, table: Path) -> None:
        super().__init__(
            table,
            expected="a row for each pair",
            found="none",
            remedy="add rows",
        )


class RowError(OasisGanError):
    """A row of a table does not name a usable pair.

    Args:
        table: The table.
        row: The number of the row, from 1.
        expected: What the row should hold.
        found: What it holds.
    """

    def __init__(self, table: Path, row: int, expected: str, found: str) -> None:
        super().__init__(
            f"{table}, row {row}",
            expected=expected,
            found=found,
            remedy="correct the row",
        )


class NotFiniteError(OasisGanError):
    """A volume to be written holds NaN or infinity."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="finite voxels",
            found="NaN or Inf",
            remedy="ITK would read them as 0",
        )


class ShearedGridError(OasisGanError):
    """The axes of a new grid are not perpendicular, so that no quaternion describes the grid.

    Args:
        path: The file to be written.
        shear: The largest cosine between two axes.
    """

    def __init__(self, path: Path, shear: float) -> None:
        super().__init__(
            path,
            expected="perpendicular axes",
            found=f"shear {shear:.2g}",
            remedy="resample the source onto a grid with perpendicular axes",
        )
