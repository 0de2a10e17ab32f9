"""Standard output carries results only: what plugins and libraries print goes to standard error."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO


@dataclass
class _Results:
    """Where results go, and what went wrong when the last one was written."""

    stream: TextIO | None = None
    failure: OSError | None = None


_RESULTS = _Results()


class _Descriptor(io.FileIO):
    """The file below a standard stream: drops what it cannot write, and keeps the first reason."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer, as the base class has it
        """Write, and report success even if nobody reads."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = self.failure or error
            return len(data)


class _Stream(io.TextIOWrapper):
    """A standard stream that stays open, whatever a plugin does to it."""

    def close(self) -> None:
        """Write what is left; the stream is closed when the program ends."""
        self.flush()


_OUTPUT: list[_Descriptor] = []


def expect_no_readers() -> None:
    """Make standard output and standard error streams to which writing never fails.

    The reader of messages may have gone (``2>&1 | head -1``), and a log may be on a full disk.
    Neither must stop a run. `find_output_failure` returns why standard output failed.
    """
    output = sys.__stdout__
    error = sys.__stderr__
    # A test or a notebook may have put something else in their place.
    if output is not None and sys.stdout is output:
        descriptor = _Descriptor(output.fileno(), "w", closefd=False)
        sys.stdout = _stream_on(descriptor, output)
        _OUTPUT[:] = [descriptor]
    if error is not None and sys.stderr is error:
        sys.stderr = _stream_on(_Descriptor(error.fileno(), "w", closefd=False), error)


def _stream_on(descriptor: _Descriptor, like: TextIO) -> _Stream:
    """Return a stream on a descriptor, in the encoding of another one."""
    buffer = io.BufferedWriter(descriptor)
    line_buffering = bool(getattr(like, "line_buffering", True))
    return _Stream(
        buffer, encoding=like.encoding, errors=like.errors, line_buffering=line_buffering
    )


def open_closed_streams() -> None:
    """Put ``/dev/null`` in the place of standard streams that the caller closed (``2>&-``).

    Otherwise the next file that is opened would take the number of standard error, and receive its
    lines.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The system takes the lowest free number, which is this one.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115


@contextmanager
def results_only() -> Iterator[None]:
    """Send everything but `write_result` to standard error, not standard output, in the block."""
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
    # This also redirects what is printed below Python.
    os.dup2(error, output)
    sys.stdout = sys.stderr
    # Paths keep their bytes, whatever these are.
    stream = open(  # noqa: SIM115
        saved, "w", encoding=sys.getfilesystemencoding(), errors="surrogateescape", closefd=False
    )
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


def get_results_stream() -> TextIO:
    """Return the stream of results, for libraries that write to a stream."""
    return _RESULTS.stream or sys.stdout


def write_result(result: object) -> None:
    """Write a line to standard output.

    A reader who has gone (``| head -1``) does not matter: the line is dropped. Any other failure is
    kept for `find_output_failure`, and what comes after it is dropped, too.
    """
    if _RESULTS.failure is not None:
        return
    stream = get_results_stream()
    try:
        stream.write(f"{result}\n")
        stream.flush()
    except OSError as error:
        _RESULTS.failure = error


def find_output_failure() -> OSError | None:
    """Return why results could not be written, if there is a reason to tell the user."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    failure = _RESULTS.failure or next((descriptor.failure for descriptor in _OUTPUT), None)
    if failure is None or failure.errno == errno.EPIPE:
        return None
    return OSError(failure.errno, failure.strerror, "standard output")
