"""MetaImage and NRRD put every voxel, in ITK's space, where the source had it.

What they cannot hold is refused.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from oasis_gan_itk import write_metaimage, write_nrrd

from oasis_gan import Geometry, OasisGanError, Volume

Painting = Callable[..., subprocess.CompletedProcess[str]]
EXPORTERS = {".mha": write_metaimage, ".nrrd": write_nrrd}
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SHAPE = (4, 5, 3)
DATATYPES = [
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
]
exporters = pytest.mark.parametrize("suffix", EXPORTERS)


def volume(affine: NDArray[np.float64] | None = None, datatype: str = "float32") -> Volume:
    voxels = np.random.default_rng(0).uniform(0, 100, SHAPE).astype(datatype)
    return Volume(voxels, Geometry(SHAPE, np.eye(4) if affine is None else affine))


def affine_of(image: Any) -> NDArray[np.float64]:  # noqa: ANN401 - SimpleITK has no types
    """Return voxel to RAS+ mm, as ITK sees it."""
    directions = np.reshape(image.GetDirection(), (3, 3)) @ np.diag(image.GetSpacing())
    return np.asarray(LPS @ nib.affines.from_matvec(directions, image.GetOrigin()))


angles = st.floats(-np.pi, np.pi)
spacings = st.floats(0.1, 10)
positions = st.floats(-500, 500)


@exporters
@given(
    turn=st.tuples(angles, angles, angles),
    order=st.permutations(range(3)),
    signs=st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3),
    spacing=st.tuples(spacings, spacings, spacings),
    position=st.tuples(positions, positions, positions),
)
def test_itk_sees_any_grid_where_it_lies(
    tmp_path: Path,
    suffix: str,
    turn: tuple[float, float, float],
    order: list[int],
    signs: tuple[float, float, float],
    spacing: tuple[float, float, float],
    position: tuple[float, float, float],
) -> None:
    """Every orientation, handedness and voxel size passes.

    Positions agree to a millionth of a millimetre, and directions to a millionth.
    """
    axes = nib.eulerangles.euler2mat(*turn) @ np.diag(signs) @ np.eye(3)[order]
    affine = nib.affines.from_matvec(axes @ np.diag(spacing), position)
    given_volume = volume(affine)
    path = tmp_path / f"a{suffix}"
    EXPORTERS[suffix](given_volume, path)
    image = sitk.ReadImage(str(path))
    np.testing.assert_allclose(affine_of(image), affine, rtol=0, atol=1e-6)
    np.testing.assert_allclose(image.GetSpacing(), spacing, rtol=0, atol=1e-6)
    assert np.array_equal(sitk.GetArrayFromImage(image).T, given_volume.voxels)


@exporters
@pytest.mark.parametrize("datatype", DATATYPES)
def test_voxels_keep_their_datatype_and_value(tmp_path: Path, suffix: str, datatype: str) -> None:
    given_volume = volume(datatype=datatype)
    path = tmp_path / f"a{suffix}"
    EXPORTERS[suffix](given_volume, path)
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T
    assert voxels.dtype == np.dtype(datatype)
    assert np.array_equal(voxels, given_volume.voxels)


@pytest.mark.parametrize(
    ("suffix", "line"),
    [(".mha", b"Comment = oasis-gan synthetic"), (".nrrd", b"content: oasis-gan synthetic")],
)
def test_the_header_says_that_the_volume_is_synthetic(
    tmp_path: Path, suffix: str, line: bytes
) -> None:
    path = tmp_path / f"a{suffix}"
    EXPORTERS[suffix](volume(), path)
    assert line in path.read_bytes().splitlines()


@exporters
@pytest.mark.parametrize("layout", ["C", "F", "big-endian"])
def test_the_memory_layout_of_an_array_does_not_matter(
    tmp_path: Path, suffix: str, layout: str
) -> None:
    voxels = volume().voxels
    layouts = {
        "C": np.ascontiguousarray(voxels),
        "F": np.asfortranarray(voxels),
        "big-endian": voxels.astype(">f4"),
    }
    EXPORTERS[suffix](Volume(layouts[layout], Geometry(SHAPE, np.eye(4))), tmp_path / f"a{suffix}")
    EXPORTERS[suffix](volume(), tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@exporters
def test_a_sheared_grid_is_refused_since_itk_would_move_its_voxels(
    tmp_path: Path, suffix: str
) -> None:
    affine = np.eye(4)
    affine[0, 1] = 1e-3
    with pytest.raises(
        OasisGanError, match=r"expected perpendicular axes, found shear 0\.001; resample"
    ):
        EXPORTERS[suffix](volume(affine), tmp_path / f"a{suffix}")
    assert not any(tmp_path.iterdir())


@exporters
@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_voxels_that_are_not_finite_are_refused(
    tmp_path: Path, suffix: str, strange: float
) -> None:
    voxels = volume().voxels
    voxels[1, 2, 1] = strange
    with pytest.raises(OasisGanError, match="expected finite voxels, found NaN or Inf"):
        EXPORTERS[suffix](Volume(voxels, Geometry(SHAPE, np.eye(4))), tmp_path / f"a{suffix}")
    assert not any(tmp_path.iterdir())


@exporters
@pytest.mark.parametrize("datatype", ["bool", "complex64", "float16"])
def test_voxels_that_itk_has_no_type_for_are_refused(
    tmp_path: Path, suffix: str, datatype: str
) -> None:
    with pytest.raises(OasisGanError, match=f"found {datatype}; convert them to one of int8, "):
        EXPORTERS[suffix](volume(datatype=datatype), tmp_path / f"a{suffix}")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a label map on an oblique, anisotropic, left-handed grid."""
    path = tmp_path_factory.mktemp("in") / "seg.nii.gz"
    affine = nib.affines.from_matvec(
        nib.eulerangles.euler2mat(0.3, -0.2, 0.1) @ np.diag([-0.9, 1.2, 2]), (70, -90, 11)
    )
    nib.save(
        nib.Nifti1Image(
            np.random.default_rng(0).integers(0, 4, (9, 11, 7)).astype(np.uint8), affine
        ),
        path,
    )
    return path


@pytest.mark.parametrize(("exporter", "suffix"), [("metaimage", ".mha"), ("nrrd", ".nrrd")])
def test_a_run_writes_on_the_grid_that_itk_reads_from_the_source(
    source: Path, tmp_path: Path, paint: Painting, exporter: str, suffix: str
) -> None:
    """Spacing, origin and direction: an ITK filter takes source and output together."""
    done = paint(source, "--exporter", exporter)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"out/seg_synthT1w{suffix}\n"
    made = sitk.ReadImage(str(tmp_path / "out" / f"seg_synthT1w{suffix}"))
    given_image = sitk.ReadImage(str(source))
    assert made.GetSize() == given_image.GetSize()
    for what in ("Spacing", "Origin", "Direction"):
        np.testing.assert_allclose(
            getattr(made, f"Get{what}")(), getattr(given_image, f"Get{what}")(), atol=1e-6
        )
    masked = sitk.Mask(made, given_image > 0)
    assert np.array_equal(sitk.GetArrayFromImage(masked), sitk.GetArrayFromImage(made))


@exporters
def test_itk_reads_origin_spacing_and_directions_as_they_were_written(
    tmp_path: Path, suffix: str
) -> None:
    """MetaImage is exact to the bit.

    NRRD stores the product of spacing and direction, so that both come back rounded.
    """
    rng = np.random.default_rng(0)
    axes = nib.eulerangles.euler2mat(*rng.uniform(-3, 3, 3))
    spacing = rng.uniform(0.1, 5, 3)
    affine = nib.affines.from_matvec(axes @ np.diag(spacing), rng.uniform(-500, 500, 3))
    given_volume = volume(affine)
    path = tmp_path / f"a{suffix}"
    EXPORTERS[suffix](given_volume, path)
    image = sitk.ReadImage(str(path))
    directions = (LPS[:3, :3] @ affine[:3, :3]) / given_volume.geometry.spacing
    rounding = 0 if suffix == ".mha" else 1e-15
    assert image.GetOrigin() == tuple((LPS @ affine)[:3, 3])
    np.testing.assert_allclose(
        image.GetSpacing(), given_volume.geometry.spacing, rtol=rounding, atol=0
    )
    np.testing.assert_allclose(
        np.reshape(image.GetDirection(), (3, 3)), directions, rtol=0, atol=rounding
    )


@exporters
def test_a_file_that_comes_back_otherwise_is_not_written(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SimpleITK says nothing on a full disk: only reading the file back tells."""
    kept = sitk.ReadImage

    def damaged(path: str) -> Any:  # noqa: ANN401
        image = kept(path)
        image[0, 0, 0] = -1
        return image

    monkeypatch.setattr(sitk, "ReadImage", damaged)
    with pytest.raises(
        OasisGanError, match="expected the volume that was written, found something else"
    ):
        EXPORTERS[suffix](volume(), tmp_path / f"a{suffix}")
    assert not any(tmp_path.iterdir())
