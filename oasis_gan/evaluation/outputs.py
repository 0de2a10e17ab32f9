"""Find the outputs of this tool in a folder, which are recognised by their sidecars."""

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
        sidecar: What its sidecar says; None if there is none of this tool.
        problem: What is wrong with it, if it cannot be evaluated.
    """

    name: str
    path: Path
    sidecar: Sidecar | None = None
    problem: Exception | None = None


def list_outputs(roots: Iterable[Path]) -> list[Output]:
    """Return the outputs to evaluate: files that are named, and outputs in folders and below them.

    Subjects that share a name are called by their path instead.

    Raises:
        OasisGanError: If there is no output in a folder, or no such file.
    """
    # A file may be named, and lie in a folder that is named as well.
    by_path: dict[Path, Output] = {}
    for root in roots:
        by_path |= {output.path: output for output in _list_root(root)}
    counts = Counter(output.name for output in by_path.values())
    outputs = []
    for path, output in by_path.items():
        is_shared = counts[output.name] > 1
        outputs.append(replace(output, name=str(path)) if is_shared else output)
    return outputs


def _list_root(root: Path) -> list[Output]:
    if not root.is_dir():
        return [_describe(root)]
    outputs = list(_list_folder(root))
    if outputs:
        return outputs
    raise NoOutputsError(root)


def _list_folder(root: Path) -> Iterator[Output]:
    """Yield the outputs in a folder and below it, and then what could not be read there."""
    unreadable: list[OSError] = []
    for folder, names in walk_folders(root, report=unreadable.append):
        for name in names:
            path = folder / name
            if not _is_volume(path, names) or is_map(path):
                continue
            output = _describe(path)
            if output.sidecar is not None or output.problem is not None:
                yield output
            # Its name says that this tool made it, but its sidecar is lost.
            elif _MARK in name:
                yield replace(output, problem=SidecarMissingError(path))
    for error in unreadable:
        yield Output(str(error.filename), root, problem=error)


def _is_volume(path: Path, names: list[str]) -> bool:
    """Whether a file is called like a volume; of a pair the header stands for both."""
    if ending_of(path.name).lower() not in VOXEL_ENDINGS:
        return is_volume_name(path)
    stem = stem_of(path.name)
    return not any(f"{stem}{ending}" in names for ending in HEADER_ENDINGS)


def _describe(path: Path) -> Output:
    name = stem_of(path.name)
    try:
        require_content(path, "an output of oasis-gan, or a folder of them")
        sidecar = read_sidecar(path)
    # One damaged output does not stop the others.
    except (OasisGanError, OSError) as error:
        return Output(name, path, problem=error)
    if sidecar is not None:
        name = sidecar.subject
    return Output(name, path, sidecar)
