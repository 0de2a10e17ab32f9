"""The contracts, run on one thing that a plugin offers: `oasis_gan.testing.trial` gives the fixture ``given``."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import cast

import pytest

from oasis_gan import Dataset, Exporter, ModelKind, Selection, Translator
from oasis_gan.testing import DatasetContract, ExporterContract, ModelContract

Given = dict[str, object]


class TestDataset(DatasetContract):
    """Given ``dataset`` and ``selection``."""

    @pytest.fixture
    def dataset(self, given: Given) -> Dataset:
        """Return the reader."""
        return cast("Dataset", given["dataset"])

    @pytest.fixture
    def selection(self, given: Given) -> Selection:
        """Return what its author has for it to read."""
        return cast("Selection", given["selection"])


class TestExporter(ExporterContract):
    """Given ``exporter``."""

    @pytest.fixture
    def exporter(self, given: Given) -> Exporter:
        """Return the writer."""
        return cast("Exporter", given["exporter"])


class TestModel(ModelContract):
    """Given ``kind`` and ``folder``."""

    @pytest.fixture
    def kind(self, given: Given) -> ModelKind:
        """Return the kind of model."""
        return cast("ModelKind", given["kind"])

    @pytest.fixture
    def folder(self, given: Given) -> Path:
        """Return a trained model."""
        return cast("Path", given["folder"])

    @pytest.fixture
    def translator(self, kind: ModelKind, folder: Path) -> Translator:
        """Return the model, which is loaded once for all checks."""
        return _loaded(kind.load, folder)


@lru_cache(maxsize=1)
def _loaded(load: Callable[[Path], Translator], folder: Path) -> Translator:
    return load(folder)
