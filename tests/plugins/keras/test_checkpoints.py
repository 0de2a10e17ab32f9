"""A checkpoint is restored bit for bit or refused, and a full disk destroys no earlier one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from oasis_gan_keras import checkpoints

from oasis_gan import OasisGanError


def test_a_checkpoint_is_restored_bit_for_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.random((3, 2)).astype(np.float32),
        "seed": np.array([1, 2], np.uint32),
        "n": np.array(7),
    }
    checkpoints.write(tmp_path, checkpoints.Checkpoint(5, arrays, {"best": None}), 3)
    found = checkpoints.read_last(tmp_path)
    assert found is not None
    assert (found.step, found.metadata) == (5, {"best": None})
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype


def test_a_full_disk_loses_no_earlier_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = checkpoints.Checkpoint(1, {"a": np.zeros(3)}, {})
    checkpoints.write(tmp_path, first, 1)

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.write(tmp_path, checkpoints.Checkpoint(2, {"a": np.ones(3)}, {}), 1)
    monkeypatch.undo()
    found = checkpoints.read_last(tmp_path)
    assert found is not None
    assert found.step == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, checkpoints.Checkpoint(1, {"a": np.zeros(300)}, {}), 1)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(OasisGanError, match="a whole checkpoint"):
        checkpoints.read_last(tmp_path)


@pytest.mark.parametrize("part", ["an array", "the metadata", "a name"])
def test_a_flipped_bit_in_a_checkpoint_is_refused_and_the_one_before_is_named(
    tmp_path: Path, part: str
) -> None:
    for step in (1, 2):
        arrays = {"weights": np.arange(300.0)}
        checkpoints.write(tmp_path, checkpoints.Checkpoint(step, arrays, {"best": 0.5}), 2)
    path = tmp_path / "step-000000002.safetensors"
    data = bytearray(path.read_bytes())
    place = {
        "an array": len(data) - 1000,
        "the metadata": data.index(b"0.5") + 2,
        "a name": data.index(b"weights"),
    }
    data[place[part]] ^= 1
    path.write_bytes(data)
    with pytest.raises(OasisGanError) as caught:
        checkpoints.read_last(tmp_path)
    assert "step-000000002.safetensors: expected content with SHA-256" in str(caught.value)
    assert "resume from the one before, step-000000001.safetensors" in str(caught.value)
    path.unlink()
    found = checkpoints.read_last(tmp_path)
    assert found is not None
    assert (found.step, found.verified) == (1, True)


def test_a_checkpoint_of_an_earlier_version_without_a_checksum_is_accepted(tmp_path: Path) -> None:
    data = safetensors.numpy.save({"a": np.zeros(3)}, metadata={"facts": "{}"})
    (tmp_path / "step-000000001.safetensors").write_bytes(data)
    found = checkpoints.read_last(tmp_path)
    assert found is not None
    assert not found.verified
