"""Telling outputs of this tool from sources: the JSON beside each of them says that it is synthetic."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import OasisGanError
from ..io.endings import sidecar_of
from ..io.files import read_small
from ..plugin.datasets import Selection, Subject


def is_output(path: Path) -> bool:
    """Whether the JSON beside a file says that it is synthetic; one that cannot be read, or is large, says nothing."""
    try:
        content = json.loads(read_small(sidecar_of(path)))
    except (OasisGanError, OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("synthetic") is True


def without_outputs(
    subjects: Iterable[Subject], selection: Selection, say: Callable[[str], None]
) -> Iterator[Subject]:
    """Yield the subjects of a folder whose sources are no outputs of this tool, and say how many were left out.

    What a user names is used all the same, with a warning: a file, or a suffix that nothing but outputs have.

    Args:
        subjects: As a reader lists them.
        selection: What was asked for.
        say: Takes a line for the user.

    Raises:
        OasisGanError: If there is nothing but outputs in a folder.
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
    is_named = not selection.root.is_dir() or (selection.source_suffix and not sources)
    example = outputs[0].source.path.name
    if is_named:
        others = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
        say(f"warning: using synthetic sources, which oasis-gan has made: {example}{others}")
        yield from outputs
    elif sources:
        say(f"{selection.root}: {_counted(len(outputs))} of oasis-gan left out, such as {example}")
    else:
        found = f"{_counted(len(outputs))} of oasis-gan and nothing else"
        remedy = "name the files themselves to use them, or choose them with `source_suffix`"
        raise OasisGanError(
            selection.root, expected="volumes that are no outputs", found=found, remedy=remedy
        )


def _counted(outputs: int) -> str:
    return f"{outputs} output" if outputs == 1 else f"{outputs} outputs"
