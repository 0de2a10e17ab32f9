"""The reader keeps the contract of oasis-gan, and says what is wrong with a bad file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_numpy_reader as plugin
import pytest

from oasis_gan import Dataset, OasisGanError, Selection
from oasis_gan.testing import DatasetContract

MAX_VOXELS = 1000


class TestFile(DatasetContract):
    """Check the reader on one archive."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        """Return the reader of this plugin."""
        return next(plugin.oasis_gan_datasets())

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        """Save one archive."""
        return Selection(save(tmp_path / "brain.npz"))


class TestFolder(TestFile):
    """Check the reader on a folder of archives."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        """Save some archives, two of them under one name."""
        for name in ("b.npz", "a.npz", "site/a.npz"):
            save(tmp_path / name)
        return Selection(tmp_path)


def save(path: Path, **arrays: Any) -> Path:  # noqa: ANN401 - whatever NumPy saves
    """Save a small label map, with some arrays of it replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        **{
            "voxels": np.arange(60).reshape(3, 4, 5) % 4,
            "affine": np.diag([-1, 1, 2, 1]),
            **arrays,
        },
    )
    return path


@pytest.mark.parametrize(
    "arrays",
    [
        {"voxels": np.ones((3, 4))},
        {"voxels": np.ones((3, 0, 4))},
        {"voxels": np.array(["a"])},
        {"voxels": np.array([{}])},
        {"affine": np.eye(3)},
        {"affine": np.zeros((4, 4))},
        {"affine": np.full((4, 4), np.nan)},
    ],
)
def test_arrays_that_are_no_volume_are_refused(tmp_path: Path, arrays: dict[str, Any]) -> None:
    """The error is one line, and names the file."""
    with pytest.raises(OasisGanError, match=r"bad\.npz: expected .* found .*; save it"):
        plugin.read(save(tmp_path / "bad.npz", **arrays), MAX_VOXELS)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    """A file is refused if it holds an array, text, nothing, or an archive of other arrays."""
    path = tmp_path / "bad.npz"
    with path.open("wb") as file:
        np.save(file, np.ones((3, 4, 5)))
    contents = [
        path.read_bytes(),
        b"text",
        b"",
        save(path).read_bytes().replace(b"affine", b"afffne"),
    ]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(OasisGanError, match=r"bad\.npz: expected a NumPy archive"):
            plugin.read(path, MAX_VOXELS)
