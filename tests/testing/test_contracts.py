"""Run the shipped contracts on the built-in plugins and on the example plugins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import oasis_gan_itk
import oasis_gan_nifti
import pytest
from kit.painting import painter
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from oasis_gan import (
    AUTO_PLANE,
    OASIS,
    Canvas,
    Channels,
    CleanVolume,
    Dataset,
    Exporter,
    Mask,
    ModelCard,
    ModelKind,
    OasisGanError,
    Percentiles,
    Plane,
    Progress,
    Selection,
    Translation,
    Translator,
    Volume,
    Voxels,
    Window,
    ignore_progress,
    slicewise,
)
from oasis_gan.image.volume import Content
from oasis_gan.testing import DatasetContract, ExporterContract, ModelContract


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


class TestNiftiExporter(ExporterContract):
    """The built-in exporter."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return next(oasis_gan_nifti.oasis_gan_exporters())


class TestUncompressedNiftiExporter(ExporterContract):
    """The built-in exporter of files that can be mapped."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return list(oasis_gan_nifti.oasis_gan_exporters())[1]


class TestMetaImageExporter(ExporterContract):
    """The first of two exporters for users of ITK."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return next(oasis_gan_itk.oasis_gan_exporters())


class TestNrrdExporter(ExporterContract):
    """The second of them."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return list(oasis_gan_itk.oasis_gan_exporters())[1]


class TestTranslator(ModelContract):
    """A translator alone will do."""

    @pytest.fixture
    def translator(self) -> Translator:
        return painter()


def load(folder: Path, plane: str = AUTO_PLANE) -> Translator:
    if not (folder / "model.json").is_file():
        raise OasisGanError(folder, expected="a model", found="none", remedy="name another folder")
    return painter(plane=plane)


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


class TestSegmenter(ModelContract):
    """A model from images to labels, whose canvas is square."""

    @pytest.fixture
    def translator(self) -> Translator:
        card = ModelCard(
            name="invert",
            version="1",
            sources={"image": Window((0, 100), (0, 1))},
            target=OASIS,
            output="dseg",
        )
        return slicewise(invert, card, planes=[Plane.AXIAL], canvas=Canvas(2.0, 8, 8))


def invert(slices: Channels, mask: Mask) -> Channels:
    return np.repeat((1 - slices) / 3, 3, axis=-1)


class TestTwoSourcesWithNeighbours(ModelContract):
    """A model of two images that sees the slices beside."""

    @pytest.fixture
    def translator(self) -> Translator:
        sources = {"t1": Percentiles(), "t2": Percentiles()}
        card = ModelCard(
            name="mean",
            version="1",
            sources=sources,
            target=Window((0, 100), (0, 1)),
            output="FLAIR",
        )
        return slicewise(average, card, planes=list(Plane), canvas=Canvas(1.0, 8, 8), context=1)


def average(slices: Channels, mask: Mask) -> Channels:
    return np.asarray(slices.mean(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Logarithm:
    """An encoding that a plugin brings: the logarithm of intensities of up to 1000."""

    channels = 1
    content: Content = "image"
    label_set = None

    def describe(self) -> str:
        return "logarithm"

    def identity(self) -> dict[str, object]:
        return {"kind": "logarithm"}

    def fit(self, voxels: Voxels) -> Logarithm:
        return self

    def encode(self, voxels: Voxels) -> Channels:
        normal = np.log1p(np.clip(voxels, 0, 1000)) / np.log1p(1000)
        return np.asarray(normal[..., np.newaxis], np.float32)

    def decode(self, channels: Channels) -> NDArray[np.float32]:
        return np.asarray(np.expm1(channels[..., 0] * np.log1p(1000)), np.float32)

    def find_mask(self, voxels: Voxels) -> Mask:
        return np.asarray(voxels != 0)

    def clean(self, volume: Volume, where: object) -> CleanVolume:
        return Window((0, 1), (0, 1)).clean(volume, where)


class TestEncodingOfAPlugin(ModelContract):
    """A model whose source and target are encoded by the plugin itself."""

    @pytest.fixture
    def translator(self) -> Translator:
        card = ModelCard(
            name="copy",
            version="1",
            sources={"image": Logarithm()},
            target=Logarithm(),
            output="T1w",
        )
        return slicewise(average, card, planes=[Plane.SAGITTAL], canvas=Canvas(1.0, 1, 1))


class Smooth:
    """A model of volumes, with a map beside its answer."""

    card = ModelCard(
        name="smooth",
        version="1",
        sources={"image": Percentiles()},
        target=Window((0, 100), (0, 1)),
        output="T1w",
    )

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        source = sources["image"]
        blurred = gaussian_filter(source.voxels.astype(np.float32), 1)
        progress(1.0)
        spread = Volume(np.abs(blurred - source.voxels), source.geometry)
        return Translation(volume=Volume(blurred, source.geometry), maps={"sd": spread})


class TestVolumeModel(ModelContract):
    """A model of whole volumes."""

    @pytest.fixture
    def translator(self) -> Translator:
        return Smooth()
