"""Run the tool as its users do: in a process of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

Painting = Callable[..., subprocess.CompletedProcess[str]]
"""Runs `oasis-gan run` with a model that paints: the fixture ``paint``."""
TINY = (
    "steps = 2\nsize = 16\nbatch = 2\n[generator]\nlevels = 2\nfilters = 4\n"
    "[discriminator]\nreceptive_field = 16\nfilters = 4\n"
)
"""A recipe that trains in seconds."""
TINY_NETWORKS = (
    'size = 16\nbatch = 2\nprecision = "float32"\n[generator]\nlevels = 2\nfilters = 4\n'
    "[discriminator]\nfilters = 4\nreceptive_field = 16\n"
)
"""The end of a recipe, after its numbers of steps: networks that train in seconds, in float32."""


def tool_command(*words: object) -> list[str]:
    """Return the command line that starts the tool in a process of its own."""
    return [sys.executable, "-m", "oasis_gan", *map(str, words)]


def oasis_gan(*words: object, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
    """Run the tool in a folder; options go to `subprocess.run`."""
    return subprocess.run(
        tool_command(*words),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        **options,
    )


def paint_in(folder: Path, plugin: Path) -> Painting:
    """Return ``oasis-gan run ... --out out`` in a folder, with the model of ``paint_plugin``."""

    def run(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
        model = ("--plugin", plugin, "--model", "paint", "--out", "out")
        return oasis_gan("run", *words, *model, cwd=folder, **options)

    return run


class CommandLine:
    """The command line, called in a folder that is neither the checkout nor that of the data.

    A `Path` among the words is typed relative to the folder of the call.

    Args:
        folder: An empty folder; the data belong in its ``data``.
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.here = folder / "somewhere" / "else"
        self.data.mkdir(parents=True)
        self.here.mkdir(parents=True)

    def __call__(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
        """Run a command; options go to `subprocess.run`."""
        typed = [self.relative(word) if isinstance(word, Path) else word for word in words]
        return oasis_gan(*typed, cwd=self.here, **options)

    def relative(self, path: Path) -> str:
        """Return what somebody types for ``path``."""
        return os.path.relpath(path, self.here)


def on_terminal(
    words: Sequence[str], cwd: Path, *, piped: bool = True, columns: int = 100
) -> tuple[int, bytes | None, str]:
    """Run a command line with a real terminal on standard error.

    Return the exit status, the standard output and what the terminal showed. Standard output goes
    to a pipe, or else to the same terminal.
    """
    terminal, shown = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns)}
    stdout = subprocess.PIPE if piped else shown
    process = subprocess.Popen(words, cwd=cwd, env=environment, stdout=stdout, stderr=shown)
    os.close(shown)
    seen = b""
    # Linux raises an error when the other end is closed.
    with suppress(OSError):
        while chunk := os.read(terminal, 65536):
            seen += chunk
    os.close(terminal)
    results = process.communicate(timeout=300)[0]
    return process.returncode, results, seen.decode()


def without_network(target: Path) -> dict[str, str]:
    """Return variables with which ``pip install`` fills ``target`` offline and Python finds it."""
    # The 0 turns build isolation off, contrary to its name: an old bug of pip.
    pip = {
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_TARGET": str(target),
    }
    return {
        **pip,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PYTHONPATH": str(target),
    }
