"""What the plugin offers keeps the contracts of oasis-gan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oasis_gan import (
    Dataset,
    Exporter,
    ModelKind,
    OasisGanError,
    Selection,
)
from oasis_gan.testing import (
    DatasetContract,
    ExporterContract,
    ModelContract,
)

import my_plugin


class TestFile(DatasetContract):
    """Check the reader on a file."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        """Return the reader of this plugin."""
        return next(my_plugin.oasis_gan_datasets())

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        """Save a file."""
        np.save(tmp_path / "brain.npy", np.ones((4, 5, 6)))
        return Selection(tmp_path / "brain.npy")


class TestFolder(TestFile):
    """Check the reader on a folder."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        """Save two files of one name."""
        (tmp_path / "site").mkdir()
        for name in ("brain.npy", "site/brain.npy"):
            np.save(tmp_path / name, np.ones((4, 5, 6)))
        return Selection(tmp_path)


@pytest.mark.parametrize("content", [b"", b"text", b"\x93NUMPY\x01\x00"])
def test_a_file_that_holds_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    """The error is one line, and names the file."""
    (tmp_path / "bad.npy").write_bytes(content)
    with pytest.raises(OasisGanError, match=r"bad\.npy: expected a NumPy array"):
        my_plugin.read(tmp_path / "bad.npy", 1000)


class TestModel(ModelContract):
    """Check the model."""

    @pytest.fixture
    def kind(self) -> ModelKind:
        """Return the kind of model of this plugin."""
        return next(my_plugin.oasis_gan_models())

    @pytest.fixture
    def folder(self, kind: ModelKind) -> Path:
        """Return the model that comes with it."""
        return kind.shipped["my-plugin"]


class TestExporter(ExporterContract):
    """Check the exporter."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        """Return the exporter of this plugin."""
        return next(my_plugin.oasis_gan_exporters())
