"""Make slices in the OASIS naming, and read them with the plugin."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_oasis
import pytest
from numpy.typing import NDArray
from PIL import Image

from oasis_gan import (
    OASIS,
    Dataset,
    OasisGanError,
    Selection,
    Subject,
)

Pixels = NDArray[Any]
READERS: dict[str, Dataset] = {
    dataset.name: dataset for dataset in oasis_gan_oasis.oasis_gan_datasets()
}
READER = READERS["oasis-png"]
ROWS = 14
COLUMNS = 12
CASES = {"train": (1, 2), "validate": (402,), "test": (441,)}
"""Numbers of the cases on each side of the split."""


def label_slice(case: int, number: int) -> Pixels:
    """Return a slice of labels that differs from subject to subject and from slice to slice."""
    return np.random.default_rng([case, number]).integers(0, 4, (ROWS, COLUMNS), np.uint8)


def image_slice(case: int, number: int) -> Pixels:
    """Return a slice of an MRI in which each tissue is brighter than the one before."""
    return np.asarray(label_slice(case, number) * 60 + case % 50, np.uint8)


GREY = image_slice(1, 0)


def encode_png(pixels: Pixels, **options: Any) -> bytes:  # noqa: ANN401
    """Return the bytes of a PNG; options go to Pillow."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def save_png(path: Path, pixels: Pixels | bytes) -> Path:
    """Save pixels as a PNG, or bytes as they are, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pixels if isinstance(pixels, bytes) else encode_png(pixels))
    return path


def make_dataset(
    root: Path,
    slices: int = 12,
    images: str = "keras_png_slices_{}",
    segs: str = "keras_png_slices_seg_{}",
    prefix: str = "seg",
    step: int = 85,
) -> Path:
    """Save two subjects for training and one for each other side of the split.

    Args:
        root: The folder of the data.
        slices: Number of slices of a subject.
        images: Name of the folder of the images of a side.
        segs: Name of the folder of the label maps of a side.
        prefix: How the names of label maps begin.
        step: Difference between the pixels of neighbouring labels.
    """
    for split, cases in CASES.items():
        for case in cases:
            for number in range(slices):
                name = f"{case:03d}_slice_{number}.nii.png"
                labels = label_slice(case, number) * np.uint8(step)
                save_png(root / images.format(split) / f"case_{name}", image_slice(case, number))
                save_png(root / segs.format(split) / f"{prefix}_{name}", labels)
    return root


def make_zip(folder: Path, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Zip the PNGs below a folder, and return the path of the zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def list_subjects(root: Path, target: Path | None = None, **options: Any) -> dict[str, Subject]:  # noqa: ANN401
    """Return the subjects of a selection by their names."""
    return {subject.name: subject for subject in READER.open(Selection(root, target, **options))}


def refusal(call: Callable[[], object]) -> str:
    """Return the error of a call, which must be one printable line."""
    with pytest.raises(OasisGanError) as caught:
        call()
    assert str(caught.value).isprintable()
    return str(caught.value)


def assert_complete(found: dict[str, Subject]) -> None:
    """Check that these are the subjects of `make_dataset`, voxel by voxel."""
    assert list(found) == ["case_001", "case_002", "case_402", "case_441"]
    assert [subject.split for subject in found.values()] == ["train", "train", "validate", "test"]
    for case, subject in zip((1, 2, 402, 441), found.values(), strict=True):
        source, target = subject.read_both()
        assert subject.source.labels is OASIS
        assert source.voxels.shape == (COLUMNS, ROWS, 12)
        for number in range(12):
            np.testing.assert_array_equal(
                source.voxels[:, ::-1, number].T, label_slice(case, number)
            )
            np.testing.assert_array_equal(
                target.voxels[:, ::-1, number].T, image_slice(case, number)
            )


def flip_bit(data: bytes, at: int) -> bytes:
    """Return bytes with the lowest bit of one of them flipped."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
