"""What can be wrong with a selection of DICOM folders: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from pathlib import Path

from oasis_gan import OasisGanError


class NoFoldersError(OasisGanError):
    """No folder with DICOM files was requested.

    Args:
        root: Where they were looked for.
        suffix: How the names of the requested folders end; empty for all.
    """

    def __init__(self, root: Path, suffix: str) -> None:
        named = f" named *{suffix}" if suffix else ""
        super().__init__(
            root,
            expected=f"folders{named} with DICOM files",
            found="none",
            remedy="check the folder and the suffix",
        )


class NoTargetError(OasisGanError):
    """The target of a series is missing.

    Args:
        path: Where it was expected.
        source: The folder of the series.
    """

    def __init__(self, path: Path, source: Path) -> None:
        super().__init__(
            path,
            expected=f"the target of {source.name}: a series in a folder of this name, or a volume",
            found="none",
            remedy="call it like the folder of its source, or say how its name ends",
        )


class OwnTargetError(OasisGanError):
    """A series would be its own target."""

    def __init__(self, source: Path) -> None:
        super().__init__(
            source,
            expected="a target beside it",
            found="itself",
            remedy="name another suffix, or another folder",
        )
