"""Several devices or machines train together, here two devices or two processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kit.places import TESTS
from kit.tiny_training import LONG, run
from oasis_gan_keras import checkpoints

WORKER = """
import hashlib, sys
from pathlib import Path
from kit.tiny_training import LONG, run
from oasis_gan import OasisGanError
from oasis_gan_keras.run import Run

train = Run.train
def train_and_print_state(self):
    train(self)
    state = self.state()
    bits = b"".join(state[name].tobytes() for name in sorted(state) if "seed" not in name)
    print("state", hashlib.sha256(bits).hexdigest())

Run.train = train_and_print_state
try:
    recipe = LONG | {"steps": int(sys.argv[2]), "pretraining": {"steps": 0}}
    run(Path(sys.argv[1]), recipe, resume=len(sys.argv) > 3)
except OasisGanError as error:
    sys.exit(f"refused {error}")
"""
DEVICES = """
import numpy as np
from oasis_gan_keras.backend import keras, tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from kit.tiny_training import EXACT, PREDICTION
from oasis_gan_pix2pix.recipe import Recipe
from oasis_gan_keras.replicas import Replicas
from oasis_gan_pix2pix.trainer import Pix2PixTrainer

rng = np.random.default_rng(0)
source = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (4, 16, 16))][..., 1:]
target = rng.random((4, 16, 16, 1)).astype(np.float32)
states = []
metrics = []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    keras.utils.set_random_seed(0)
    trainer = Pix2PixTrainer(Recipe(**EXACT, size=16), PREDICTION, 10, Replicas(strategy))
    metrics.append(trainer.update(0, source, target))
    states.append(trainer.state())
assert trainer.replicas.devices == 2
np.testing.assert_allclose(list(metrics[1].values()), list(metrics[0].values()), rtol=1e-4)
assert [name for name in states[0] if "momentum" in name]
for name, one in states[0].items():
    # At least a thousandth of a first step of Adam.
    tolerance = max(1e-5 * np.abs(one).max(), 2e-7)
    np.testing.assert_allclose(states[1][name], one, atol=tolerance, err_msg=name)
print("equal")
"""


def find_free_ports(count: int) -> list[int]:
    """Return ports that are not in use."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return found


def start_workers(out: Path, steps: int, *more: str) -> list[subprocess.Popen[str]]:
    """Start both workers of a training."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in find_free_ports(2)]}
    started = []
    for index in range(2):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        words = [sys.executable, "-W", "ignore", "-c", WORKER, str(out), str(steps), *more]
        started.append(
            subprocess.Popen(
                words,
                cwd=TESTS,
                env={**os.environ, "TF_CONFIG": config},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return started


def wait_for_end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        results, messages = process.communicate(timeout=300)
    finally:
        process.kill()
    return process.returncode, results, messages


def test_two_devices_take_the_step_that_one_would_take() -> None:
    """Weights and moments of Adam agree, because gradients are averaged exactly once."""
    words = [sys.executable, "-W", "ignore", "-c", DEVICES]
    process = subprocess.run(
        words, cwd=TESTS, capture_output=True, text=True, timeout=300, check=False
    )
    assert process.stdout.split() == ["equal"], process.stderr


def test_two_workers_end_with_the_same_weights_and_one_of_them_writes(tmp_path: Path) -> None:
    out = tmp_path / "m"
    both = [wait_for_end(process) for process in start_workers(out, 4)]
    assert [status for status, _, _ in both] == [0, 0], both
    states = {re.findall(r"state (\w+)", results)[0] for _, results, _ in both}
    assert len(states) == 1
    assert json.loads((out / "model.json").read_text())["training"]["step"] == 4
    # Both workers resume from the chief's checkpoint too.
    again = [wait_for_end(process) for process in start_workers(out, 6, "resume")]
    assert [status for status, _, _ in again] == [0, 0], again
    assert len({re.findall(r"state (\w+)", results)[0] for _, results, _ in again}) == 1


@pytest.mark.parametrize("victim", [0, 1])
def test_when_a_worker_is_killed_the_other_says_so_and_the_run_can_be_resumed(
    tmp_path: Path, victim: int
) -> None:
    out = tmp_path / "m"
    both = start_workers(out, 100_000)
    while not list(out.glob("checkpoints/step-*")) and all(
        process.poll() is None for process in both
    ):
        time.sleep(0.05)
    both[victim].send_signal(signal.SIGKILL)
    status, _, messages = wait_for_end(both[1 - victim])
    wait_for_end(both[victim])
    assert status == 1
    last = messages.strip().splitlines()[-1]
    assert re.fullmatch(
        rf"refused training: expected all workers, found worker {victim} gone; "
        "start all workers again with `resume`",
        last,
    )
    found = checkpoints.read_last(out / "checkpoints")
    assert found is not None
    lines = run(out, {**LONG, "steps": found.step + 1, "pretraining": {"steps": 0}}, resume=True)
    assert f"resumed after step {found.step}" in lines
