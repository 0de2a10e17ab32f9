"""Every output lies where its source lies: nibabel and ITK read both alike, to the bit."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.quaternions import quat2mat
from numpy.typing import NDArray
from oasis_gan_nifti import write_nifti

from oasis_gan import Geometry, OasisGanError, Volume, read_nifti

Affine = NDArray[np.float64]
CODES = tuple(itertools.product(range(5), range(5)))
ORIENTATIONS = tuple(
    "".join(axes)
    for order in itertools.permutations(("RL", "AP", "SI"))
    for axes in itertools.product(*order)  # all 48: six orders of the axes, two directions for each
)
SPATIAL = ("pixdim", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
ROWS = ("srow_x", "srow_y", "srow_z", "qform_code", "sform_code")
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

sitk.ProcessObject.SetGlobalWarningDisplay(False)


class ItkSpace(NamedTuple):
    """Where ITK puts an image."""

    origin: tuple[float, ...]
    spacing: tuple[float, ...]
    direction: tuple[float, ...]
    size: tuple[int, ...]

    def affine(self) -> Affine:
        """Return voxel to RAS+ millimetres."""
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(self.direction, (3, 3)) * self.spacing
        affine[:3, 3] = self.origin
        return LPS @ affine


@dataclass(frozen=True)
class Source:
    """What a source file says of its space."""

    shape: tuple[int, int, int]
    sform: Affine
    qform: Affine

    def save(
        self,
        path: Path,
        qform_code: int,
        sform_code: int,
        kind: Any = nib.Nifti1Image,  # noqa: ANN401
    ) -> Path:
        """Write it with nibabel."""
        voxels = np.arange(np.prod(self.shape), dtype=np.int16).reshape(self.shape)
        image = kind(voxels, None)
        image.header.set_qform(self.qform, qform_code)
        image.header.set_sform(self.sform, sform_code)
        image.header.set_xyzt_units("mm", "sec")
        nib.save(image, path)
        return path


def oriented(orientation: str, spacing: tuple[float, ...]) -> Affine:
    """Return the affine of a volume whose axes point to ``orientation``."""
    affine = np.zeros((4, 4))
    for axis, letter in enumerate(orientation):
        affine["RLAPSI".index(letter) // 2, axis] = spacing[axis] * (1 if letter in "RAS" else -1)
    affine[:, 3] = (-90.5, -126.25, -72.0, 1)
    return affine


@st.composite
def affines(draw: st.DrawFn, shears: tuple[float, ...] = (0.0,)) -> Affine:
    """Oblique, right- or left-handed, anisotropic."""
    quaternion = np.array(
        draw(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1))
    )
    affine = np.eye(4)
    affine[:3, :3] = quat2mat(quaternion / np.linalg.norm(quaternion))
    affine[:3, 1] += draw(st.sampled_from(shears)) * affine[:3, 0]
    affine[:3, :3] *= draw(st.tuples(*[st.floats(0.3, 6)] * 3))
    affine[:3, 0] *= draw(st.sampled_from([1, -1]))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


SHAPES = st.tuples(*[st.integers(1, 7)] * 3)
SOURCES = st.builds(Source, SHAPES, affines(shears=(0.0, 0.0, 1e-3)), affines())


def nib_load(path: Path) -> Any:  # noqa: ANN401 - nibabel's own types say only that it is some image
    """Return what nibabel reads."""
    return nib.load(path)


def itk_space(path: Path) -> ItkSpace | None:
    """Return where ITK puts a file, or None where it refuses it."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return ItkSpace(
        reader.GetOrigin(), reader.GetSpacing(), reader.GetDirection(), reader.GetSize()
    )


def rewritten(source: Path) -> Path:
    """Read a source and write it as the tool does: float32, on its own grid."""
    volume = read_nifti(source)
    path = source.with_name(f"out_{source.name}")
    write_nifti(Volume(volume.voxels.astype(np.float32), volume.geometry), path)
    return path


def assert_nibabel_agrees(output: Path, source: Path) -> None:
    ours = nib_load(output)
    theirs = nib_load(source)
    assert ours.affine.tobytes() == theirs.affine.tobytes()
    assert ours.header.get_zooms() == theirs.header.get_zooms()
    assert ours.header.get_xyzt_units()[0] == theirs.header.get_xyzt_units()[0]
    for name in (*SPATIAL, *ROWS):
        stop = 4 if name == "pixdim" else None
        assert np.array_equal(
            ours.header[name].ravel()[:stop], theirs.header[name].ravel()[:stop]
        ), name
    for form in ("get_sform", "get_qform"):
        (mine, code), (other, other_code) = (
            getattr(image, form)(coded=True) for image in (ours, theirs)
        )
        assert code == other_code
        assert np.array_equal(mine, other)
    assert np.array_equal(ours.get_fdata(), theirs.get_fdata())


@pytest.mark.parametrize(("qform_code", "sform_code"), CODES)
@settings(max_examples=6)
@given(source=SOURCES)
def test_nibabel_and_itk_read_output_and_source_alike(
    tmp_path: Path, source: Source, qform_code: int, sform_code: int
) -> None:
    path = source.save(tmp_path / "source.nii", qform_code, sform_code)
    output = rewritten(path)
    assert_nibabel_agrees(output, path)
    assert itk_space(output) == itk_space(path)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_orientation_is_kept(tmp_path: Path, orientation: str) -> None:
    shape = (3, 5, 7)
    affine = oriented(orientation, (0.9, 1.25, 3.0))
    path = Source(shape, affine, affine).save(tmp_path / "source.nii.gz", 1, 1)
    assert read_nifti(path).geometry.orientation == orientation
    output = rewritten(path)
    assert_nibabel_agrees(output, path)
    space = itk_space(output)
    assert space is not None
    assert space == itk_space(path)
    assert np.allclose(space.affine(), affine, atol=1e-4)


@pytest.mark.parametrize("unit", ["meter", "mm", "micron", "unknown"])
def test_the_unit_of_the_source_is_kept(tmp_path: Path, unit: str) -> None:
    image = nib.Nifti1Image(np.ones((2, 3, 4), np.uint8), np.diag([2, 2, 2, 1]))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "source.nii")
    output = rewritten(tmp_path / "source.nii")
    assert_nibabel_agrees(output, tmp_path / "source.nii")
    assert itk_space(output) == itk_space(tmp_path / "source.nii")


def test_a_sform_that_itk_refuses_is_refused_in_the_output_too(tmp_path: Path) -> None:
    sheared = np.eye(4)
    sheared[0, 1] = 3e-3
    path = Source((3, 4, 5), sheared, np.eye(4)).save(tmp_path / "source.nii", 0, 1)
    assert any("sheared" in note for note in read_nifti(path).notes)
    output = rewritten(path)
    assert_nibabel_agrees(output, path)
    assert itk_space(path) is itk_space(output) is None


@pytest.mark.parametrize(("qform_code", "sform_code"), [(0, 0), (1, 0), (0, 2), (1, 1), (3, 4)])
@settings(max_examples=15)
@given(source=SOURCES)
def test_a_nifti2_source_gives_a_nifti1_output_in_the_same_place(
    tmp_path: Path, source: Source, qform_code: int, sform_code: int
) -> None:
    path = source.save(tmp_path / "source.nii", qform_code, sform_code, nib.Nifti2Image)
    image = nib_load(rewritten(path))
    theirs = nib_load(path)
    assert type(image) is nib.Nifti1Image
    # At the far corner of a head, as in all of its voxels, nothing moves by more than a hundredth
    # of a millimetre.
    corner = np.array([255, 255, 255, 1])
    assert np.allclose(image.affine @ corner, theirs.affine @ corner, atol=1e-2)
    if sform_code:
        assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (
            qform_code,
            sform_code,
        )


@given(affine=affines(), shape=SHAPES)
def test_nibabel_and_itk_agree_on_a_new_grid(
    tmp_path: Path, affine: Affine, shape: tuple[int, int, int]
) -> None:
    path = tmp_path / "new.nii"
    write_nifti(Volume(np.zeros(shape, np.float32), Geometry(shape, affine)), path)
    image = nib_load(path)
    space = itk_space(path)
    assert np.allclose(image.affine, affine, rtol=1e-6, atol=1e-4)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert space is not None
    # At the far corner of a head, where the error of a direction is largest.
    corner = np.array([255, 255, 255, 1])
    assert np.allclose(space.affine() @ corner, image.affine @ corner, atol=2e-3)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_new_grid_may_have_any_orientation(tmp_path: Path, orientation: str) -> None:
    shape = (3, 5, 7)
    affine = oriented(orientation, (0.9, 1.25, 3.0))
    write_nifti(Volume(np.zeros(shape, np.float32), Geometry(shape, affine)), tmp_path / "new.nii")
    space = itk_space(tmp_path / "new.nii")
    assert space is not None
    assert np.allclose(space.affine(), affine, atol=1e-4)
    assert np.allclose(nib_load(tmp_path / "new.nii").affine, affine, atol=1e-4)


def test_a_new_grid_that_is_sheared_is_refused_by_name(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 1] = 6e-5
    volume = Volume(np.zeros((2, 2, 2), np.float32), Geometry((2, 2, 2), affine))
    with pytest.raises(
        OasisGanError, match=r"new\.nii: expected perpendicular axes, found shear 6e-05"
    ):
        write_nifti(volume, tmp_path / "new.nii")
    assert not any(tmp_path.iterdir())


def test_a_new_grid_may_be_sheared_as_little_as_itk_takes(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 1] = 4e-5
    write_nifti(
        Volume(np.zeros((2, 2, 2), np.float32), Geometry((2, 2, 2), affine)), tmp_path / "new.nii"
    )
    space = itk_space(tmp_path / "new.nii")
    assert space is not None
    assert np.allclose(space.affine(), affine, atol=1e-4)


def test_grids_of_another_shape_or_place_are_told_apart() -> None:
    grid = Geometry((10, 10, 10), np.eye(4))
    grid.require_same_grid(Geometry((10, 10, 10), np.eye(4) + 1e-6), "t1.nii")
    turned = np.eye(4)
    turned[0, 1] = 1e-3
    for other in (Geometry((10, 10, 9), np.eye(4)), Geometry((10, 10, 10), turned)):
        with pytest.raises(OasisGanError, match=r"^t1\.nii: expected .*resample one of the two"):
            grid.require_same_grid(other, "t1.nii")


def test_a_grid_with_nan_in_its_affine_equals_no_other() -> None:
    grid = Geometry((2, 2, 2), np.eye(4))
    with pytest.raises(OasisGanError, match="a corner nan mm away"):
        grid.require_same_grid(Geometry((2, 2, 2), np.full((4, 4), np.nan)), "t1.nii")


def test_further_axes_of_length_1_are_dropped() -> None:
    voxels = np.arange(24).reshape(2, 3, 4, 1)
    for geometry in (Geometry((2, 3, 4), np.eye(4)), Geometry(voxels.shape, np.eye(4))):  # type: ignore[arg-type]
        volume = Volume(voxels, geometry)
        assert volume.voxels.shape == volume.geometry.shape == (2, 3, 4)


def test_voxels_of_another_shape_than_the_grid_are_refused() -> None:
    with pytest.raises(ValueError, match="geometry says"):
        Volume(np.zeros((2, 3, 4)), Geometry((4, 3, 2), np.eye(4)))
