"""MINC volumes lie where nibabel and SimpleITK put them, or are refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from kit.itk_images import VOXELS, images, make_image, save_image
from nibabel.externals.netcdf import netcdf_file

from oasis_gan import OasisGanError, read_volume

LABELS = np.random.default_rng(0).integers(0, 4, (4, 5, 6)).astype(np.uint8)


def save_minc1(path: Path) -> Path:
    """Write a MINC 1 file whose slices have a scale of intensities each."""
    file = netcdf_file(str(path), "w")
    for name, length, start, step in (
        ("zspace", 6, -10.0, 3.0),
        ("yspace", 5, -20.0, 2.0),
        ("xspace", 4, -30.0, 1.0),
    ):
        file.createDimension(name, length)
        axis = file.createVariable(name, "i", ())
        axis.spacing = b"regular__"
        axis.start = start
        axis.step = step
    image = file.createVariable("image", "h", ("zspace", "yspace", "xspace"))
    image.signtype = b"signed__"
    image.valid_range = np.array([0.0, 1000.0])
    image.data[:] = np.arange(120).reshape(6, 5, 4)
    for name, value in (("image-min", 0.0), ("image-max", 500.0)):
        file.createVariable(name, "d", ("zspace",)).data[:] = value
    file.close()
    return path


def refusal(path: Path, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(OasisGanError) as caught:
        read_volume(path, **options)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert str(caught.value).isprintable()
    return str(caught.value)


@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(image=images())
def test_a_volume_lies_where_simpleitk_puts_it(
    tmp_path: Path,
    image: Any,  # noqa: ANN401
) -> None:
    path = save_image(tmp_path / "a.mnc", image)
    volume = read_volume(path)
    read = SimpleITK.ReadImage(str(path))
    for index in volume.geometry.corners.T[:, :3].tolist():
        place = volume.geometry.affine @ [*index, 1]
        # SimpleITK leaves the world of MINC, which is RAS, as it is; its first axis is the last of
        # the file.
        expected = read.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(place[:3], expected, atol=1e-6)
        assert volume.voxels[tuple(index)] == read[index[::-1]]


def test_a_volume_lies_where_nibabel_puts_it(tmp_path: Path) -> None:
    for path in (save_image(tmp_path / "two.mnc"), save_minc1(tmp_path / "one.mnc")):
        expected: Any = nib.load(path)
        volume = read_volume(path)
        assert np.array_equal(volume.geometry.affine, expected.affine)
        np.testing.assert_allclose(volume.voxels, expected.get_fdata(), atol=1e-3)
        assert volume.notes == ()


def test_whole_numbers_stay_whole(tmp_path: Path) -> None:
    path = save_image(tmp_path / "a.mnc", make_image(LABELS))
    assert np.array_equal(read_volume(path).voxels.T, LABELS)


def test_fractions_stay_fractions(tmp_path: Path) -> None:
    voxels = read_volume(save_minc1(tmp_path / "a.mnc")).voxels
    assert np.array_equal(voxels.ravel()[:4], [0, 0.5, 1, 1.5])


def test_voxels_in_another_file_are_refused(tmp_path: Path) -> None:
    other = save_image(tmp_path / "other.mnc")
    with h5py.File(save_image(tmp_path / "link.mnc"), "r+") as file:
        del file["minc-2.0/image/0/image"]
        file["minc-2.0/image/0/image"] = h5py.ExternalLink(str(other), "minc-2.0/image/0/image")
    with h5py.File(save_image(tmp_path / "external.mnc"), "r+") as file:
        attributes = dict(file["minc-2.0/image/0/image"].attrs)
        del file["minc-2.0/image/0/image"]
        image = file["minc-2.0/image/0"].create_dataset(
            "image", VOXELS.T.shape, "i2", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
        )
        image.attrs.update(attributes)
    for name in ("link", "external"):
        assert "a path that leads out of it" in refusal(tmp_path / f"{name}.mnc")


def test_the_limit_on_voxels_is_respected(tmp_path: Path) -> None:
    for path in (save_image(tmp_path / "two.mnc"), save_minc1(tmp_path / "one.mnc")):
        assert "at most 119 voxels" in refusal(path, max_voxels=119)
        assert read_volume(path, max_voxels=120).voxels.size == 120


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    for path in (save_image(tmp_path / "two.mnc"), save_minc1(tmp_path / "one.mnc")):
        whole = path.read_bytes()
        for cut in range(0, len(whole) - 60, len(whole) // 40):
            path.write_bytes(whole[:cut])
            refusal(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "0 bytes"), (b"\x89PNG\r\n\x1a\n" + bytes(99), "a PNG picture"), (b"x" * 99, "another")],
)
def test_another_content_is_recognised(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.mnc").write_bytes(content)
    assert said in refusal(tmp_path / "a.mnc")


def test_a_file_of_hdf5_that_is_no_minc_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.mnc", "w") as file:
        file["data"] = VOXELS
    assert "expected a MINC file" in refusal(tmp_path / "a.mnc")
