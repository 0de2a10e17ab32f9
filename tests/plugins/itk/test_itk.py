"""A volume from oasis-gan goes through ITK.

It keeps its space, and bias correction, rigid registration and label statistics work with it.
"""

from __future__ import annotations

import csv
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from kit.places import EXAMPLES
from numpy.typing import NDArray

from oasis_gan import Geometry, read_nifti
from oasis_gan.plugin.hookspecs import oasis_gan_models

DOWNSTREAM = EXAMPLES / "downstream"
SEG = EXAMPLES / "mni152_seg.nii.gz"
T1 = EXAMPLES / "mni152_t1.nii.gz"
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
Head = tuple[Path, Path, Path]


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, check=False
    )


def downstream(generated: Path, seg: Path, t1: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return run(DOWNSTREAM / "itk_downstream.py", generated, seg, t1, "--out", out)


def translated(seg: Path, folder: Path) -> Path:
    """Translate with the model of the documentation's example.

    It paints each tissue, and needs no TensorFlow.
    """
    plugin = folder / "paint.py"
    plugin.write_text(
        inspect.cleandoc("    " + (oasis_gan_models.__doc__ or "").split("::\n\n")[1])
    )
    options = ("--plugin", plugin, "--model", "paint", "--out", folder)
    done = run("-m", "oasis_gan", "run", seg, *options)
    assert done.returncode == 0, done.stderr
    return folder / f"{seg.name.removesuffix('.nii.gz')}_synthpaint.nii.gz"


def table(out: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (out / "tissues.tsv").open(newline="") as file:
        return {(row["image"], row["tissue"]): row for row in csv.DictReader(file, delimiter="\t")}


def coarse(path: Path, folder: Path) -> Path:
    """Keep every other voxel, so that a test takes seconds."""
    small = folder / path.name
    nib.save(nib.Nifti1Image.from_filename(path).slicer[::2, ::2, ::2], small)
    return small


@pytest.fixture(scope="module")
def small_head(tmp_path_factory: pytest.TempPathFactory) -> Head:
    folder = tmp_path_factory.mktemp("small")
    seg = coarse(SEG, folder)
    t1 = coarse(T1, folder)
    return translated(seg, folder), seg, t1


class ItkExample(NamedTuple):
    """What the example prints and leaves for the sample head."""

    out: Path
    printed: str
    rows: dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> ItkExample:
    """Run the example on a translation of the sample head."""
    folder = tmp_path_factory.mktemp("example")
    out = folder / "itk"
    done = downstream(translated(SEG, folder), SEG, T1, out)
    assert done.returncode == 0, done.stderr
    return ItkExample(out, done.stdout, table(out))


@pytest.mark.parametrize("image", ["generated", "corrected", "real"])
def test_means_rise_from_csf_to_white_matter_in_each_image(example: ItkExample, image: str) -> None:
    csf, gm, wm = (float(example.rows[image, tissue]["mean"]) for tissue in ("CSF", "GM", "WM"))
    assert csf < gm < wm


def test_the_printed_means_are_those_of_the_table(example: ItkExample) -> None:
    assert len(example.rows) == 9
    for image in ("generated", "corrected", "real"):
        assert example.rows[image, "GM"]["mean"] in example.printed


def test_volumes_of_tissues_are_those_of_the_label_map(example: ItkExample) -> None:
    labels = read_nifti(SEG).voxels
    for value, tissue in enumerate(("CSF", "GM", "WM"), start=1):
        row = example.rows["generated", tissue]
        assert int(row["voxels"]) == np.count_nonzero(labels == value)
        assert float(row["volume_ml"]) == pytest.approx(int(row["voxels"]) / 1000, abs=0.01)


def test_no_bias_field_is_found_in_a_painted_volume(example: ItkExample) -> None:
    assert float(example.rows["corrected", "WM"]["mean"]) == pytest.approx(750, rel=0.02)


def test_the_registered_output_lies_on_the_real_scan(example: ItkExample) -> None:
    registered = read_nifti(example.out / "registered.nii.gz")
    real = read_nifti(T1)
    assert registered.geometry.header == real.geometry.header
    mask = read_nifti(SEG).voxels > 0
    assert np.corrcoef(registered.voxels[mask], real.voxels[mask])[0, 1] > 0.8


def rotation(degrees: tuple[float, float, float]) -> NDArray[Any]:
    """Return the matrix of a turn about each axis."""
    transform = sitk.Euler3DTransform()
    transform.SetRotation(*np.radians(degrees).tolist())
    return np.reshape(transform.GetMatrix(), (3, 3))


def moved(t1: Path, motion: NDArray[Any], folder: Path) -> Path:
    """Move a head by its header alone: the same voxels, rotated and translated in RAS+ mm."""
    image = nib.Nifti1Image.from_filename(t1)
    path = folder / "moved.nii.gz"
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), motion @ image.affine), path)
    return path


def test_a_known_motion_is_recovered(small_head: Head, tmp_path: Path) -> None:
    generated, seg, t1 = small_head
    motion = np.eye(4)
    motion[:3, :3] = rotation((8, -6, 12))
    motion[:3, 3] = (30, -20, 15)
    done = downstream(generated, seg, moved(t1, motion, tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr
    found = sitk.Euler3DTransform(sitk.ReadTransform(str(tmp_path / "rigid.tfm")))
    true = LPS @ np.linalg.inv(motion) @ LPS
    left_over = np.reshape(found.GetMatrix(), (3, 3)) @ true[:3, :3].T
    assert np.degrees(np.arccos(min(1.0, (np.trace(left_over) - 1) / 2))) < 1
    labels = nib.Nifti1Image.from_filename(seg)
    indices = np.argwhere(np.asarray(labels.dataobj) > 0)[::1000]
    points = (LPS @ motion @ labels.affine @ np.c_[indices, np.ones(len(indices))].T)[:3].T
    errors = [
        np.linalg.norm(found.TransformPoint(p) - (true @ [*p, 1])[:3]) for p in points.tolist()
    ]
    assert max(errors) < 1
    rows = table(tmp_path)
    assert (
        float(rows["real", "CSF"]["mean"])
        < float(rows["real", "GM"]["mean"])
        < float(rows["real", "WM"]["mean"])
    )


def test_equal_inputs_give_equal_files(small_head: Head, tmp_path: Path) -> None:
    outs = [tmp_path / name for name in ("first", "second")]
    for out in outs:
        assert downstream(*small_head, out).returncode == 0
    for name in ("tissues.tsv", "rigid.tfm", "registered.nii.gz"):
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes()


@pytest.mark.parametrize("what", ["origin", "spacing", "direction", "size"])
def test_a_volume_that_lies_elsewhere_is_refused_in_one_line(
    small_head: Head, tmp_path: Path, what: str
) -> None:
    generated, seg, t1 = small_head
    image = nib.Nifti1Image.from_filename(generated)
    affine = image.affine.copy()
    voxels = np.asarray(image.dataobj)
    if what == "origin":
        affine[0, 3] = np.nextafter(np.float32(affine[0, 3]), np.float32(0))
    elif what == "spacing":
        affine[:3, 1] *= 1.0001
    elif what == "direction":
        affine[:3, :3] = rotation((0, 0, 0.1)) @ affine[:3, :3]
    else:
        voxels = voxels[:-1]
    other = tmp_path / "other.nii.gz"
    nib.save(nib.Nifti1Image(voxels, affine), other)
    done = downstream(other, seg, t1, tmp_path / "itk")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{what} of OUTPUT: expected ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "itk").exists()


def test_a_truncated_volume_is_refused_although_itk_would_read_it(
    small_head: Head, tmp_path: Path
) -> None:
    generated, seg, t1 = small_head
    short = tmp_path / "short.nii.gz"
    short.write_bytes(generated.read_bytes()[:-2000])
    done = downstream(short, seg, t1, tmp_path / "itk")
    assert done.returncode == 1
    assert "short.nii.gz" in done.stderr
    assert done.stderr.count("\n") == 1


def test_itk_and_nibabel_see_the_output_where_the_source_is(small_head: Head) -> None:
    generated, seg, _ = small_head
    ours, theirs = (sitk.ReadImage(str(path)) for path in (generated, seg))
    for what in ("Size", "Spacing", "Origin", "Direction"):
        assert getattr(ours, f"Get{what}")() == getattr(theirs, f"Get{what}")()
    assert np.array_equal(
        nib.Nifti1Image.from_filename(generated).affine, nib.Nifti1Image.from_filename(seg).affine
    )


def test_an_itk_image_is_written_with_its_axes_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DOWNSTREAM)
    example = importlib.import_module("itk_downstream")
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    image = sitk.GetImageFromArray(voxels.T)
    example.write_on_grid(image, Geometry((2, 3, 4), np.eye(4)), tmp_path / "image.nii.gz")
    assert np.array_equal(read_nifti(tmp_path / "image.nii.gz").voxels, voxels)
