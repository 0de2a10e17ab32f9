"""Workers that do not find each other report which one is missing, and where."""

from __future__ import annotations

import socket

import pytest
from oasis_gan_keras.rendezvous import wait_for_workers

from oasis_gan import OasisGanError


def find_free_ports(count: int) -> list[int]:
    """Return ports that are not in use."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return found


def test_a_worker_that_was_never_started_is_named() -> None:
    addresses = [f"127.0.0.1:{port}" for port in find_free_ports(2)]
    with pytest.raises(OasisGanError, match=f"found no answer from {addresses[1]} within 1 s"):
        wait_for_workers(addresses, 0, 1)
    with pytest.raises(
        OasisGanError, match=f"expected worker 0 at {addresses[0]}, found no answer within 1 s"
    ):
        wait_for_workers(addresses, 1, 1)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(OasisGanError, match=f"the port of worker 1 at {taken} free"):
            wait_for_workers(["127.0.0.1:1", taken], 1, 1)
