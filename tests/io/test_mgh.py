"""FreeSurfer's volumes get the position that nibabel gives them, or are refused in one line."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.freesurfer.mghformat import MGHImage, header_dtype
from numpy.typing import NDArray
from oasis_gan_nifti import write_nifti

from oasis_gan import OasisGanError, read_mgh, read_nifti, read_volume

VOXELS: NDArray[np.int16] = np.random.default_rng(0).integers(-900, 900, (4, 5, 6)).astype(np.int16)
CONFORMED = np.array([[-1.0, 0, 0, 128.5], [0, 0, 1, -127.25], [0, -1, 0, 100], [0, 0, 0, 1]])


def tilted() -> NDArray[np.float64]:
    """Return an affine with a rotation and voxels of three sizes, as scanners give it."""
    angle = np.radians(8)
    turn = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.1, 0.9, 1.3])
    affine[:3, 3] = 81.7, -110.2, -66.6
    return affine


def save(
    path: Path, voxels: NDArray[Any] = VOXELS, affine: NDArray[np.float64] = CONFORMED
) -> Path:
    nib.save(MGHImage(voxels, affine), path)
    return path


def with_field(path: Path, **fields: object) -> Path:
    """Save a volume and change fields of its header, which are written as they are given."""
    data = bytearray(save(path).read_bytes())
    header = np.frombuffer(data, header_dtype.newbyteorder(">"), 1)[0:1]
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(bytes(data))
    return path


def refusal(path: Path, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(OasisGanError) as caught:
        read_mgh(path, **options)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert str(caught.value).isprintable()  # one line, too
    return str(caught.value)


@pytest.mark.parametrize(
    "affine", [CONFORMED, tilted(), np.diag([1.0, 1, 1, 1])], ids=["conformed", "tilted", "RAS"]
)
@pytest.mark.parametrize("name", ["aseg.mgz", "aseg.mgh", "ASEG.MGZ"])
def test_a_volume_of_freesurfer_lies_where_nibabel_puts_it(
    tmp_path: Path, name: str, affine: NDArray[np.float64]
) -> None:
    path = save(tmp_path / "a.mgz", affine=affine)
    data = gzip.decompress(path.read_bytes())
    path = path.rename(tmp_path / name)
    if name.endswith("mgh"):
        path.write_bytes(data)
    for read in (read_mgh, read_volume):
        volume = read(path)
        assert np.array_equal(volume.voxels, VOXELS)
        assert volume.voxels.dtype.isnative
        assert np.array_equal(volume.geometry.affine, MGHImage.from_bytes(data).affine)
        assert volume.notes == ()


@pytest.mark.parametrize("affine", [CONFORMED, tilted()], ids=["conformed", "tilted"])
def test_an_output_on_its_grid_lies_in_the_same_place_for_nibabel_and_itk(
    tmp_path: Path, affine: NDArray[np.float64]
) -> None:
    source = save(tmp_path / "a.mgz", affine=affine)
    volume = read_volume(source)
    write_nifti(volume, tmp_path / "a.nii.gz")
    expected = MGHImage.from_bytes(gzip.decompress(source.read_bytes())).affine
    assert np.allclose(
        nib.Nifti1Image.from_filename(tmp_path / "a.nii.gz").affine, expected, atol=1e-5
    )
    assert np.allclose(read_nifti(tmp_path / "a.nii.gz").geometry.affine, expected, atol=1e-5)
    image = SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))
    for index in ((0, 0, 0), (3, 4, 5)):
        place = np.array(image.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
        assert np.allclose(place, (expected @ [*index, 1])[:3], atol=1e-4)
        assert image[index] == VOXELS[index]


@pytest.mark.parametrize("datatype", ["uint8", "int16", "int32", "float32"])
def test_every_kind_of_voxel_is_read(tmp_path: Path, datatype: str) -> None:
    voxels = np.abs(VOXELS % 250).astype(datatype)
    volume = read_mgh(save(tmp_path / "a.mgz", voxels))
    assert np.array_equal(volume.voxels, voxels)
    assert volume.voxels.dtype == voxels.dtype


def test_unsigned_short_voxels_are_read_though_nibabel_does_not_know_them(tmp_path: Path) -> None:
    path = with_field(tmp_path / "a.mgh", type=10)
    assert np.array_equal(read_mgh(path).voxels, VOXELS.astype(np.uint16))


def test_one_frame_is_a_volume_and_several_are_refused(tmp_path: Path) -> None:
    one = with_field(tmp_path / "one.mgh", dims=(4, 5, 6, 1))
    assert read_mgh(one).voxels.shape == VOXELS.shape
    said = refusal(save(tmp_path / "two.mgz", np.stack([VOXELS, VOXELS], axis=-1)))
    assert "expected a 3-D volume, found dimensions [4, 5, 6, 2]; split it into 3-D volumes" in said


def test_without_orientation_the_default_of_the_format_is_used_with_a_note(
    tmp_path: Path,
) -> None:
    path = with_field(tmp_path / "a.mgh", goodRASFlag=0, delta=(3, 3, 3), Pxyz_c=(9, 9, 9))
    volume = read_mgh(path)
    # nibabel 5 turns the second and third axis over; this is what FreeSurfer does, and how its own
    # volumes lie.
    assert volume.geometry.orientation == "LIA"
    assert volume.geometry.spacing == (1, 1, 1)
    # FreeSurfer's centre is voxel n / 2.
    assert np.array_equal(volume.geometry.affine @ [2, 2.5, 3, 1], [0, 0, 0, 1])
    assert volume.notes == (
        "no orientation in the header: taken as FreeSurfer does, coronal slices of 1 mm",
    )


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mgh"])
def test_the_content_of_a_file_decides_its_format_and_not_its_name(
    tmp_path: Path, name: str
) -> None:
    data = save(tmp_path / "x.mgz").read_bytes()
    (tmp_path / name).write_bytes(data)
    assert np.array_equal(read_volume(tmp_path / name).voxels, VOXELS)
    nib.save(nib.Nifti1Image(VOXELS, CONFORMED), tmp_path / "n.nii")
    assert np.array_equal(
        read_volume((tmp_path / "n.nii").rename(tmp_path / "n.mgz")).voxels, VOXELS
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dims": (4, 5, 0, 1)}, "a 3-D volume"),
        ({"dims": (4, 5, -6, 1)}, "a 3-D volume"),
        ({"dims": (2**31 - 1, 2**31 - 1, 2**31 - 1, 1)}, "at most 134217728 voxels"),
        ({"type": 6}, "integer or float voxels, found type code 6"),
        ({"type": -1}, "integer or float voxels, found type code -1"),
        ({"delta": (1, 0, 1)}, "a usable position"),
        ({"delta": (1, np.nan, 1)}, "a usable position"),
        ({"Pxyz_c": (np.inf, 0, 0)}, "a usable position"),
        ({"Pxyz_c": (1e30, 0, 0)}, "a usable position"),
        ({"Mdc": np.zeros((3, 3))}, "a usable position"),
        ({"Mdc": np.eye(3) + 0.1}, "perpendicular axes"),
        ({"version": 2}, "a header of MGH or MGZ, found another format"),
    ],
    ids=str,
)
def test_an_impossible_header_is_refused(
    tmp_path: Path, fields: dict[str, object], said: str
) -> None:
    assert said in refusal(with_field(tmp_path / "a.mgh", **fields))


def test_a_huge_volume_is_refused_before_memory_is_allocated(tmp_path: Path) -> None:
    path = with_field(tmp_path / "a.mgh", dims=(500, 500, 500, 1))
    tracemalloc.start()
    assert "expected 250000000 bytes of voxels" in refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**25


def test_the_limit_on_voxels_is_respected(tmp_path: Path) -> None:
    path = save(tmp_path / "a.mgz")
    assert "at most 119 voxels" in refusal(path, max_voxels=119)
    assert read_mgh(path, max_voxels=120).voxels.size == 120


def test_the_footer_of_freesurfer_is_skipped_and_a_bomb_is_refused(
    tmp_path: Path,
) -> None:
    data = gzip.decompress(save(tmp_path / "a.mgz").read_bytes())
    for spare, reads in ((0, True), (2**19, True), (2**22, False)):
        (tmp_path / "b.mgz").write_bytes(gzip.compress(data + bytes(spare)))
        if reads:
            assert np.array_equal(read_mgh(tmp_path / "b.mgz").voxels, VOXELS)
        else:
            assert "bytes after the voxels" in refusal(tmp_path / "b.mgz")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_truncated_file_is_refused(tmp_path: Path, compressed: bool) -> None:
    data = save(tmp_path / "a.mgz").read_bytes()
    if not compressed:
        # Its footer may be missing: files of old versions have none.
        data = gzip.decompress(data)[: 284 + VOXELS.nbytes]
    for cut in range(0, len(data), 7):
        (tmp_path / "cut.mgz").write_bytes(data[:cut])
        refusal(tmp_path / "cut.mgz")


@settings(max_examples=100)
@given(
    changes=st.lists(st.tuples(st.integers(0, 89), st.integers(0, 255)), max_size=6),
    length=st.one_of(st.just(240), st.integers(0, 600)),
)
def test_random_headers_are_refused_or_give_a_volume_with_a_position(
    tmp_path: Path, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(save(tmp_path / "a.mgh").read_bytes()[: 284 + length])
    for place, value in changes:
        data[place] = value
    (tmp_path / "a.mgh").write_bytes(data)
    try:
        volume = read_mgh(tmp_path / "a.mgh")
    except OasisGanError as error:
        assert str(error).startswith(f"{tmp_path / 'a.mgh'}: expected ")
        assert str(error).isprintable()
        return
    assert np.isfinite(volume.geometry.affine).all()
    assert min(volume.geometry.spacing) > 0
