"""Recognise outputs of this tool by the JSON file beside each, which says that it is synthetic."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import OasisGanError
from ..io.endings import sidecar_of
from ..io.files import read_small
from ..plugin.datasets import Selection, Subject
from .errors import OnlyOutputsError


def is_output(path: Path) -> bool:
    """Tell whether the JSON beside a file marks it as synthetic.

    JSON that is missing, unreadable or very large does not.
    """
    try:
        content = json.loads(read_small(sidecar_of(path)))
    except (OasisGanError, OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("synthetic") is True


def without_outputs(
    subjects: Iterable[Subject], selection: Selection, say: Callable[[str], None]
) -> Iterator[Subject]:
    """Yield the subjects whose sources are not outputs of this tool, and report the others.

    Outputs that the user asks for are used, with a warning: those that are named as a file, or
    chosen by a suffix that only outputs have.

    Args:
        subjects: The subjects that a reader found.
        selection: What the user asked for.
        say: Called with each line for the user.

    Raises:
        OasisGanError: If a folder holds only outputs.
    """
    outputs: list[Subject] = []
    sources = 0
    for subject in subjects:
        if is_output(subject.source.path):
            outputs.append(subject)
        else:
            sources += 1
            yield subject
    if not outputs:
        return
    is_file = not selection.root.is_dir()
    is_chosen_by_suffix = bool(selection.source_suffix) and not sources
    example = outputs[0].source.path.name
    if is_file or is_chosen_by_suffix:
        others = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
        say(f"warning: using synthetic sources, which oasis-gan has made: {example}{others}")
        yield from outputs
    elif sources:
        say(f"{selection.root}: {_count(len(outputs))} of oasis-gan left out, such as {example}")
    else:
        raise OnlyOutputsError(selection.root, _count(len(outputs)))


def _count(outputs: int) -> str:
    return f"{outputs} output" if outputs == 1 else f"{outputs} outputs"
