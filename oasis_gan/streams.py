"""Standard output carries results and nothing else: what plugins and libraries print goes to standard error."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


@dataclass
class _Results:
    """Where results go, and what went wrong when the last one was written."""

    stream: TextIO | None = None
    failure: OSError | None = None


_RESULTS = _Results()


def open_closed_streams() -> None:
    """Put ``/dev/null`` in the place of standard streams that the caller has closed, as ``2>&-`` does.

    Otherwise the next file that is opened would take the number of standard error, and receive its lines.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is given out, which is this one.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115


@contextmanager
def results_only() -> Iterator[None]:
    """Within the block only `write_result` reaches standard output; everything else goes to standard error."""
    try:
        output = sys.stdout.fileno()
        error = sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):
        # A test or a notebook has put something else in their place.
        yield
        return
    before = sys.stdout
    before.flush()
    saved = os.dup(output)
    # Also for what is printed below Python.
    os.dup2(error, output)
    sys.stdout = sys.stderr
    # Paths keep their bytes, whatever these are.
    stream = open(saved, "w", encoding=sys.getfilesystemencoding(), errors="surrogateescape", closefd=False)  # noqa: SIM115
    _RESULTS.stream = stream
    try:
        yield
    finally:
        _RESULTS.stream = None
        sys.stdout = before
        os.dup2(saved, output)
        # What it could not write has been kept already.
        with suppress(OSError):
            stream.close()
        os.close(saved)


def results_stream() -> TextIO:
    """Return the stream of results, for what writes to a stream itself."""
    return _RESULTS.stream or sys.stdout


def write_result(result: object) -> None:
    """Write a line to standard output.

    A reader who has gone (``| head -1``) does not matter: the line is dropped. Any other failure is kept for
    `output_failure`, and what comes after it is dropped, too.
    """
    if _RESULTS.failure is not None:
        return
    stream = results_stream()
    try:
        stream.write(f"{result}\n")
        stream.flush()
    except OSError as error:
        _RESULTS.failure = error


def output_failure() -> OSError | None:
    """Return why results could not be written, if there is a reason to tell the user."""
    failure = _RESULTS.failure
    if failure is None or failure.errno == errno.EPIPE:
        return None
    return OSError(failure.errno, failure.strerror, "standard output")
