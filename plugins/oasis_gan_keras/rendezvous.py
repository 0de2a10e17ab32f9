"""Meeting before TensorFlow does: it waits for a worker that was never started for ever, and deaf to all signals."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

from oasis_gan import OasisGanError

_GO = b"go\n"
_REMEDY = "start every worker of TF_CONFIG with the same command"


def find_workers() -> tuple[list[str], int]:
    """Return the addresses of all workers and the number of this one, as ``TF_CONFIG`` says."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        addresses = [str(address) for address in config.get("cluster", {}).get("worker", [])]
        return addresses, int(config["task"]["index"]) if len(addresses) > 1 else 0
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        expected, remedy = "a cluster of workers and a task", "see docs/training.md"
        raise OasisGanError(
            "TF_CONFIG", expected=expected, found=repr(error), remedy=remedy
        ) from None


def wait_for_workers(addresses: Sequence[str], index: int, patience: float) -> None:
    """Return when all workers are there.

    The first worker calls at every other's address until all have answered, and then tells them to go on. The ports are
    those that TensorFlow's own servers take over right afterwards.

    Args:
        addresses: Host and port of every worker.
        index: Which of them this process is.
        patience: How long to wait, seconds.

    Raises:
        OasisGanError: If one is not there in time, naming it.
    """
    if index:
        _answer(addresses, index, patience)
    else:
        _call(addresses, patience)


def _answer(addresses: Sequence[str], index: int, patience: float) -> None:
    try:
        server = socket.create_server(("", int(addresses[index].rpartition(":")[2])))
    except OSError as error:
        raise _absent(
            f"the port of worker {index} at {addresses[index]} free", str(error.strerror)
        ) from None
    with server:
        server.settimeout(patience)
        try:
            call, _ = server.accept()
        except TimeoutError:
            raise _absent(
                f"worker 0 at {addresses[0]}", f"nobody within {patience:.0f} s"
            ) from None
    with call:
        # It may still wait for others, and may have started later.
        call.settimeout(2 * patience)
        try:
            word = call.makefile("rb").readline()
        except OSError:
            word = b""
    if word != _GO:
        raise _absent(
            "all workers",
            word.decode(errors="replace").strip() or f"worker 0 at {addresses[0]} gone",
        )


def _call(addresses: Sequence[str], patience: float) -> None:
    deadline = time.monotonic() + patience
    with ExitStack() as closing:
        calls: dict[str, socket.socket] = {}
        while missing := [address for address in addresses[1:] if address not in calls]:
            for address in missing:
                host, _, port = address.rpartition(":")
                try:
                    calls[address] = closing.enter_context(
                        socket.create_connection((host.strip("[]"), int(port)), timeout=2)
                    )
                except OSError:
                    continue
            if len(calls) < len(addresses) - 1 and time.monotonic() > deadline:
                gone = ", ".join(address for address in missing if address not in calls)
                found = f"nobody at {gone} within {patience:.0f} s"
                for call in calls.values():
                    call.sendall(found.encode() + b"\n")
                raise _absent("all workers", found)
            time.sleep(0.2)
        for call in calls.values():
            call.sendall(_GO)


def _absent(expected: str, found: str) -> OasisGanError:
    return OasisGanError("TF_CONFIG", expected=expected, found=found, remedy=_REMEDY)
