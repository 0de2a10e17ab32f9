"""A process that knows nothing of this one but the pickle that it gets on its standard input."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

_CALL = """
import pickle, sys
value = pickle.load(sys.stdin.buffer)
{body}
pickle.dump(answer, sys.stdout.buffer)
"""


def run_elsewhere(body: str, value: object, cwd: Path) -> Any:  # noqa: ANN401 - what the body makes of it
    """Return ``answer`` of a few lines of Python in another process, which get ``value``.

    Args:
        body: Lines that make ``answer`` of ``value``.
        value: Anything that can be pickled.
        cwd: The folder to run in.
    """
    command = [sys.executable, "-c", _CALL.format(body=body)]
    done = subprocess.run(
        command, cwd=cwd, input=pickle.dumps(value), capture_output=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)


def lines_elsewhere(body: str, data: bytes, cwd: Path) -> list[str]:
    """Return what another process prints, where ``data`` is the pickle on its standard input."""
    command = [sys.executable, "-c", f"import pickle, sys\n{body}"]
    done = subprocess.run(
        command, cwd=cwd, input=data, capture_output=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()
