"""Wait for all workers before TensorFlow does.

TensorFlow would wait forever, and ignore all signals.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from .errors import BadClusterError, MissingWorkerError

_GO = b"go\n"
_RETRY_EVERY = 0.2  # seconds
_CONNECT_TIMEOUT = 2  # seconds


def find_workers() -> tuple[list[str], int]:
    """Return the addresses of all workers and the index of this one, from ``TF_CONFIG``.

    Raises:
        BadClusterError: If ``TF_CONFIG`` does not describe a cluster of workers.
    """
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster = config.get("cluster", {})
        addresses = [str(address) for address in cluster.get("worker", [])]
        if len(addresses) <= 1:
            return addresses, 0
        return addresses, int(config["task"]["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadClusterError(repr(error)) from None


def wait_for_workers(addresses: Sequence[str], index: int, patience: float) -> None:
    """Return when all workers have started.

    The first worker calls every other one until all have answered, and then tells them to go on.
    TensorFlow's own servers use the same ports immediately afterwards.

    Args:
        addresses: The host and port of every worker.
        index: The index of this worker.
        patience: The longest time to wait, in seconds.

    Raises:
        MissingWorkerError: If a worker has not started in time; the message names it.
    """
    if index:
        _wait_for_call(addresses, index, patience)
    else:
        _call_all(addresses, patience)


def _wait_for_call(addresses: Sequence[str], index: int, patience: float) -> None:
    """Wait until the first worker says that all have started."""
    chief = f"worker 0 at {addresses[0]}"
    with _listen(addresses[index], index) as server:
        server.settimeout(patience)
        try:
            call, _ = server.accept()
        except TimeoutError:
            found = f"no answer within {patience:.0f} s"
            raise MissingWorkerError(expected=chief, found=found) from None
    with call:
        # The first worker may still be waiting for others, and may have started later than this
        # one.
        call.settimeout(2 * patience)
        try:
            answer = call.makefile("rb").readline()
        except OSError:
            answer = b""
    if answer != _GO:
        reason = answer.decode(errors="replace").strip()
        raise MissingWorkerError(expected="all workers", found=reason or f"{chief} gone")


def _listen(address: str, index: int) -> socket.socket:
    """Open the port of this worker."""
    port = int(address.rpartition(":")[2])
    try:
        return socket.create_server(("", port))
    except OSError as error:
        expected = f"the port of worker {index} at {address} free"
        raise MissingWorkerError(expected=expected, found=str(error.strerror)) from None


def _call_all(addresses: Sequence[str], patience: float) -> None:
    """Call all other workers until each has answered, then tell them to go on."""
    others = addresses[1:]
    deadline = time.monotonic() + patience
    with ExitStack() as closing:
        calls: dict[str, socket.socket] = {}
        while len(calls) < len(set(others)):
            for address in others:
                if address in calls:
                    continue
                try:
                    calls[address] = closing.enter_context(_connect(address))
                except OSError:
                    continue
            missing = [address for address in others if address not in calls]
            if missing and time.monotonic() > deadline:
                found = f"no answer from {', '.join(missing)} within {patience:.0f} s"
                _send_all(calls.values(), found.encode() + b"\n")
                raise MissingWorkerError(expected="all workers", found=found)
            time.sleep(_RETRY_EVERY)
        _send_all(calls.values(), _GO)


def _connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_TIMEOUT)


def _send_all(calls: Iterable[socket.socket], message: bytes) -> None:
    for call in calls:
        call.sendall(message)
