"""Finding the outputs of this tool in a folder: the JSON beside each of them says that it is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..checks.outputs import is_map
from ..errors import OasisGanError
from ..io.endings import HEADER_ENDINGS, VOXEL_ENDINGS, ending_of, is_volume_name, stem_of
from ..io.folders import walk_folders
from ..io.formats import require_content
from .errors import NoOutputsError, SidecarMissingError
from .sidecars import Sidecar, read_sidecar

_MARK = "_synth"
"""In the name of every output."""


@dataclass(frozen=True)
class Output:
    """A volume that is to be evaluated.

    Args:
        name: How to call its subject.
        path: The file.
        sidecar: What the JSON beside it says; None if there is none of this tool.
        problem: What is wrong with it, if it cannot be evaluated.
    """

    name: str
    path: Path
    sidecar: Sidecar | None = None
    problem: Exception | None = None


def list_outputs(roots: Iterable[Path]) -> list[Output]:
    """Return the volumes to evaluate: files as they are named, and the outputs in folders and below them.

    Subjects that share a name are called by their path instead.

    Raises:
        OasisGanError: If there is no output in a folder, or no such file.
    """
    found = [output for root in roots for output in _list_root(root)]
    outputs = list({output.path: output for output in found}.values())
    counts = Counter(output.name for output in outputs)
    return [
        replace(output, name=str(output.path)) if counts[output.name] > 1 else output
        for output in outputs
    ]


def _list_root(root: Path) -> list[Output]:
    if not root.is_dir():
        return [_describe(root)]
    outputs = list(_list_folder(root))
    if not outputs:
        raise NoOutputsError(root)
    return outputs


def _list_folder(root: Path) -> Iterator[Output]:
    unreadable: list[OSError] = []
    for folder, names in walk_folders(root, report=unreadable.append):
        for name in names:
            path = folder / name
            if not _is_volume(path, names) or is_map(path):
                continue
            output = _describe(path)
            if output.sidecar is not None or output.problem is not None:
                yield output
            elif _MARK in name:
                yield replace(output, problem=SidecarMissingError(path))
    for error in unreadable:
        yield Output(str(error.filename), root, problem=error)


def _is_volume(path: Path, names: list[str]) -> bool:
    """Whether a file is called like a volume; of a pair the header stands for both."""
    if ending_of(path.name).lower() in VOXEL_ENDINGS:
        stem = stem_of(path.name)
        return not any(f"{stem}{ending}" in names for ending in HEADER_ENDINGS)
    return is_volume_name(path)


def _describe(path: Path) -> Output:
    stem = stem_of(path.name)
    try:
        require_content(path, "an output of oasis-gan, or a folder of them")
        sidecar = read_sidecar(path)
    except (OasisGanError, OSError) as error:
        return Output(stem, path, problem=error)
    return Output(sidecar.subject if sidecar else stem, path, sidecar)
