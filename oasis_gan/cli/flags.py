"""Name parameters as the command line does: a user types ``--max-voxels`` for `max_voxels`.

Only the command line knows of flags. The rest of the tool, and plugins, name a parameter as Python
does, in backticks.
"""

from __future__ import annotations

import re

_NAMED_ALIKE = (
    "against",
    "cache",
    "dataset",
    "dtype",
    "jobs",
    "labels",
    "like",
    "like_labels",
    "like_label_set",
    "max_voxels",
    "out",
    "overwrite",
    "plane",
    "resume",
    "segmentation_suffix",
    "source_is",
    "source_labels",
    "source_suffix",
    "spacing",
    "target_suffix",
    "timeout",
    "validate",
)
FLAGS = {
    **{name: f"--{name.replace('_', '-')}" for name in _NAMED_ALIKE},
    "further": "--source",
    "moved_to": "--source",
    "participants": "--participant-label",
    "plugin_files": "--plugin",
    "sessions": "--session-label",
    "sources": "SOURCE",
    "target_root": "--target",
}
"""What a user types for a parameter, by its name in Python."""
_IN_BACKTICKS = re.compile("`([a-z_]+)`")


def flag_of(name: str) -> str:
    """Return what a user types for a parameter of this name."""
    return FLAGS.get(name, f"--{name.replace('_', '-')}")


def with_flags(message: str) -> str:
    """Return a message that names parameters as a user types them.

    Other words in backticks stay as they are.
    """
    return _IN_BACKTICKS.sub(lambda found: FLAGS.get(found[1], found[0]), message)
