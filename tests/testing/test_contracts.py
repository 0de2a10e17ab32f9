"""The contracts that are shipped for plugin authors, kept by the built-ins and by other plugins that do as told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import oasis_gan_itk
import oasis_gan_nifti
import pytest

from oasis_gan import (
    OASIS,
    Canvas,
    Dataset,
    Exporter,
    ModelCard,
    ModelKind,
    OasisGanError,
    Plane,
    Selection,
    Window,
)
from oasis_gan.testing import DatasetContract, ExporterContract, ModelContract

Slices = np.ndarray[Any, np.dtype[np.float32]]
Wanted = np.ndarray[Any, np.dtype[np.bool_]]


def save(path: Path, shape: tuple[int, int, int] = (5, 6, 4)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint8)
    nib.save(nib.Nifti1Image(voxels, np.diag([-1.0, 1.2, 2.0, 1.0])), path)
    return path


class TestNiftiFile(DatasetContract):
    """The built-in reader, given one file."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return next(oasis_gan_nifti.oasis_gan_datasets())

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(save(tmp_path / "sub-01.nii.gz"))


class TestNiftiFolder(TestNiftiFile):
    """The built-in reader, given a folder with subfolders."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        for name in ("b.nii", "a.nii.gz", "site/a.nii.gz", "site/deep/c.NII.GZ"):
            save(tmp_path / name)
        return Selection(tmp_path)


class TestNiftiPairs(TestNiftiFile):
    """The built-in reader, asked for pairs."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        for name in ("s1_seg.nii.gz", "s1_t1.nii.gz", "s2_seg.nii.gz", "s2_t1.nii.gz"):
            save(tmp_path / name)
        return Selection(tmp_path, source_suffix="_seg.nii.gz", target_suffix="_t1.nii.gz")


class TestNiftiWriter(ExporterContract):
    """The built-in writer."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return next(oasis_gan_nifti.oasis_gan_exporters())


class TestUncompressedNiftiWriter(ExporterContract):
    """The built-in writer of files that can be mapped."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return list(oasis_gan_nifti.oasis_gan_exporters())[1]


class TestMetaImageWriter(ExporterContract):
    """The first of two writers for users of ITK."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return next(oasis_gan_itk.oasis_gan_exporters())


class TestNrrdWriter(ExporterContract):
    """The second of them."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return list(oasis_gan_itk.oasis_gan_exporters())[1]


CARD = ModelCard(
    name="grey",
    version="1",
    source=OASIS,
    target=Window((0, 1000), (0, 1)),
    output="grey",
    planes=(Plane.AXIAL,),
    canvas=Canvas(1.0, 6, 4),
    weights_sha256="",
)


class Painter:
    """A model that needs no training: one grey a tissue."""

    card = CARD

    def translate(self, slices: Slices, wanted: Wanted) -> Slices:
        return np.asarray(slices @ np.array([[0.3], [0.55], [0.75]], np.float32))


class TestTranslator(ModelContract):
    """A translator alone will do."""

    @pytest.fixture
    def translator(self) -> Painter:
        return Painter()


def load(folder: Path) -> Painter:
    if not (folder / "model.json").is_file():
        raise OasisGanError(folder, expected="a model", found="none", remedy="name another folder")
    return Painter()


class TestKind(ModelContract):
    """A kind with a folder is checked further."""

    @pytest.fixture
    def kind(self, folder: Path) -> ModelKind:
        return ModelKind(
            name="grey",
            summary="One grey a tissue",
            card=lambda path: load(path).card,
            load=load,
            shipped={"grey": folder},
        )

    @pytest.fixture
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("model")
        (folder / "model.json").touch()
        return folder


class TestWindowedTranslator(ModelContract):
    """A model whose source is a contrast, and whose canvas is square."""

    @pytest.fixture
    def translator(self) -> Inverter:
        return Inverter()


class Inverter:
    """A model from a contrast to labels."""

    card = replace(CARD, source=Window((0, 100), (0, 1)), target=OASIS, canvas=Canvas(2.0, 8, 8))

    def translate(self, slices: Slices, wanted: Wanted) -> Slices:
        return np.repeat((1 - slices) / 3, 3, axis=-1)
