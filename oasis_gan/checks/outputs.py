"""Recognise outputs of this tool.

The sidecar of each output says that it is synthetic, and so does the header of the output.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ..errors import OasisGanError
from ..io.endings import sidecar_of
from ..io.files import read_small
from ..io.marks import is_marked
from ..plugin.datasets import Selection, Subject
from .errors import OnlyOutputsError

# JSON that is nested a thousand deep ends in a RecursionError.
_UNREADABLE = (OasisGanError, OSError, ValueError, RecursionError)


def is_output(path: Path) -> bool:
    """Tell whether the sidecar of a file, or its own header, marks it as synthetic.

    A sidecar that is missing, unreadable or very large does not.
    """
    return _read_mark(path).get("synthetic") is True or is_marked(path)


def is_map(path: Path) -> bool:
    """Tell whether the sidecar of a file marks it as a map of an output, such as uncertainty."""
    content = _read_mark(path)
    return content.get("synthetic") is True and "map" in content and "of" in content


def _read_mark(path: Path) -> dict[str, object]:
    """Return the JSON object in the sidecar of a file; empty if none can be read."""
    try:
        content = json.loads(read_small(sidecar_of(path)))
    except _UNREADABLE:
        return {}
    return content if isinstance(content, dict) else {}


def without_outputs(
    subjects: Iterable[Subject],
    selection: Selection,
    report: Callable[[str], None],
) -> Iterator[Subject]:
    """Yield the subjects whose sources are not outputs of this tool, and report the others.

    Outputs that the user asks for are used, with a warning: those that are named as a file, or
    chosen by a suffix that only outputs have.

    Args:
        subjects: The subjects that a reader found.
        selection: What the user asked for.
        report: Called with each line for the user.

    Raises:
        OasisGanError: If a folder holds only outputs.
    """
    outputs: list[Subject] = []
    maps: list[Subject] = []
    sources = 0
    is_file = not selection.root.is_dir()
    for subject in subjects:
        # A map does not show a head, so it is used only if the user names the file itself.
        if not is_file and is_map(subject.source.path):
            maps.append(subject)
        elif is_output(subject.source.path):
            outputs.append(subject)
        else:
            sources += 1
            yield subject
    left_out = [*outputs, *maps]
    if not left_out:
        return
    is_chosen_by_suffix = selection.source_suffix and not sources
    if outputs and (is_file or is_chosen_by_suffix):
        report(_describe_use(outputs))
        yield from outputs
        return
    number = _count(len(left_out))
    if not sources:
        raise OnlyOutputsError(selection.root, number)
    example = left_out[0].source.path.name
    report(f"{selection.root}: {number} of oasis-gan left out, such as {example}")


def _describe_use(outputs: Sequence[Subject]) -> str:
    """Return the warning that outputs are used as sources."""
    example = outputs[0].source.path.name
    further = len(outputs) - 1
    others = f" and {further} more" if further else ""
    return f"warning: using synthetic sources, which oasis-gan has made: {example}{others}"


def _count(outputs: int) -> str:
    return f"{outputs} output" if outputs == 1 else f"{outputs} outputs"
