"""The tool as its users run it: a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Painting = Callable[..., subprocess.CompletedProcess[str]]
"""Runs `oasis-gan run` with a model that paints: the fixture ``paint``."""
TINY = (
    "steps = 2\nsize = 16\nbatch = 2\n[generator]\nlevels = 2\nfilters = 4\n"
    "[discriminator]\nreceptive_field = 16\nfilters = 4\n"
)
"""A recipe that trains in seconds."""


def oasis_gan(*words: object, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
    """Run a command in a folder; options go to `subprocess.run`."""
    command = [sys.executable, "-m", "oasis_gan", *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False, **options)
