"""NIfTI-1 pairs and Analyze 7.5 are read right, or refused in one line that names a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.analyze import AnalyzeHeader
from numpy.typing import NDArray
from oasis_gan_nifti import oasis_gan_datasets, write_nifti

from oasis_gan import OasisGanError, Selection, Volume, read_nifti, read_pair

SaveAnalyze = Callable[..., Path]
VOXELS: NDArray[np.int16] = np.random.default_rng(0).integers(-900, 900, (4, 5, 6)).astype(np.int16)


def refusal(path: Path, **options: Any) -> str:  # noqa: ANN401
    """Return why a pair is refused."""
    with pytest.raises(OasisGanError) as caught:
        read_pair(path, **options)
    text = str(caught.value)
    assert text.isprintable()  # one line, too
    assert str(path.parent) in text
    return text


def itk_affine(path: Path) -> NDArray[np.float64]:
    """Return voxel to RAS+ mm, as SimpleITK reads it."""
    image = SimpleITK.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ affine


# Analyze 7.5: where the voxels lie


@pytest.mark.parametrize(
    ("orient", "axes", "first_voxel"),
    [
        # 4dfp's documentation of its converter's results: "right occipital skull-base", and so on.
        (0, "LAS", "RPI"),
        (1, "LSA", "RIP"),
        (2, "ASL", "PIR"),
        # The vertical axis of each slice turned.
        (3, "LPS", "RAI"),
        (4, "LIA", "RSP"),
        (5, "AIL", "PSR"),
    ],
)
def test_the_orient_byte_says_where_the_axes_run(
    tmp_path: Path, save_analyze: SaveAnalyze, orient: int, axes: str, first_voxel: str
) -> None:
    volume = read_pair(save_analyze(tmp_path / "a.hdr", VOXELS, orient=orient, sizes=(1, 1, 1.25)))
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.geometry.orientation == axes
    assert volume.geometry.spacing == pytest.approx((1, 1, 1.25))
    corner = volume.geometry.affine[:3, 3]
    where = {ends[int(place < 0)] for place, ends in zip(corner, ("RL", "AP", "SI"), strict=True)}
    assert where == set(first_voxel)
    middle = volume.geometry.affine @ [*(np.array(VOXELS.shape) - 1) / 2, 1]
    assert np.allclose(middle[:3], 0)


@pytest.mark.parametrize("orient", range(6))
def test_nibabel_and_itk_place_what_is_written_from_it_alike(
    tmp_path: Path, save_analyze: SaveAnalyze, orient: int
) -> None:
    volume = read_pair(
        save_analyze(tmp_path / "a.hdr", VOXELS, orient=orient, sizes=(1, 1.5, 1.25))
    )
    write_nifti(volume, tmp_path / "a.nii.gz")
    image = nib.Nifti1Image.from_filename(tmp_path / "a.nii.gz")
    assert np.allclose(image.affine, volume.geometry.affine, atol=1e-6)
    assert np.allclose(itk_affine(tmp_path / "a.nii.gz"), image.affine, atol=1e-5)
    itk_voxels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))).T
    assert np.array_equal(itk_voxels, np.asarray(image.dataobj))


def test_a_note_says_that_the_position_is_assumed(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    (note,) = read_pair(save_analyze(tmp_path / "a.hdr", VOXELS)).notes
    assert (
        note
        == "Analyze 7.5 has no position: axes run LAS by the orient byte, 0 mm lies in the middle"
    )


@pytest.mark.parametrize("orient", [6, 48, 255])
def test_an_unknown_orient_byte_is_noted_and_taken_as_0(
    tmp_path: Path, save_analyze: SaveAnalyze, orient: int
) -> None:
    volume = read_pair(save_analyze(tmp_path / "a.hdr", VOXELS, orient=orient))
    assert f"orient byte {orient} is unknown: taken as 0, transverse" in volume.notes
    assert volume.geometry.orientation == "LAS"


def test_an_origin_moves_nothing_and_is_noted_unless_it_is_blank(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    plain = read_pair(save_analyze(tmp_path / "plain.hdr", VOXELS, originator=b""))
    blank = read_pair(save_analyze(tmp_path / "blank.hdr", VOXELS, originator=b" " * 9))
    assert nib.Spm2AnalyzeImage.from_filename(tmp_path / "blank.hdr").header["origin"].tolist() == [
        *[8224] * 4,
        8192,
    ]
    spm = read_pair(
        save_analyze(tmp_path / "spm.hdr", VOXELS, originator=np.array([2, 3, 4], ">i2").tobytes())
    )
    for volume in (blank, spm):
        assert np.array_equal(volume.geometry.affine, plain.geometry.affine)
    assert plain.notes == blank.notes
    assert set(spm.notes) - set(plain.notes) == {
        "the origin that SPM keeps in the header is ignored"
    }


def test_a_stray_mat_file_moves_nothing_and_is_noted(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS)
    before = read_pair(path)
    (tmp_path / "a.mat").write_bytes(b"anything")
    after = read_pair(path)
    assert np.array_equal(after.geometry.affine, before.geometry.affine)
    assert set(after.notes) - set(before.notes) == {"the .mat file beside it is ignored"}


@pytest.mark.parametrize(("sizes", "found"), [((0, 2, -3), (1, 2, 3)), ((-1, 1, 1), (1, 1, 1))])
def test_sizes_that_are_not_positive_are_noted(
    tmp_path: Path, save_analyze: SaveAnalyze, sizes: tuple[int, ...], found: tuple[int, ...]
) -> None:
    volume = read_pair(save_analyze(tmp_path / "a.hdr", VOXELS, pixdim=[0, *sizes, 0, 0, 0, 0]))
    assert volume.geometry.spacing == found
    assert any("not positive" in note for note in volume.notes)


# Analyze 7.5: what the voxels are


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("datatype", ["uint8", "int16", "int32", "float32", "float64"])
def test_every_kind_of_voxel_is_read_in_either_order_of_bytes(
    tmp_path: Path, save_analyze: SaveAnalyze, order: str, datatype: str
) -> None:
    voxels = np.abs(VOXELS % 250).astype(datatype)
    volume = read_pair(save_analyze(tmp_path / "a.hdr", voxels, order=order))
    assert np.array_equal(volume.voxels, voxels)
    assert volume.voxels.dtype == voxels.dtype
    assert volume.voxels.dtype.isnative


def test_either_half_names_the_pair_in_upper_case_too(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS)
    assert np.array_equal(read_pair(path.with_suffix(".img")).voxels, VOXELS)
    path.rename(tmp_path / "A.HDR")
    path.with_suffix(".img").rename(tmp_path / "A.IMG")
    for name in ("A.HDR", "A.IMG"):
        assert np.array_equal(read_pair(tmp_path / name).voxels, VOXELS)


def test_the_factor_that_spm_keeps_in_the_header_is_applied(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS)
    data = bytearray(path.read_bytes())
    data[112:116] = np.array(0.5, ">f4").tobytes()
    path.write_bytes(data)
    assert np.array_equal(read_pair(path).voxels, VOXELS * 0.5)


@pytest.mark.parametrize("change", [-1, 1, 240])
def test_voxels_too_few_or_too_many_are_refused(
    tmp_path: Path, save_analyze: SaveAnalyze, change: int
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS)
    image = path.with_suffix(".img")
    data = image.read_bytes()
    image.write_bytes(data[:change] if change < 0 else data + bytes(change))
    found = (
        "expected 240 bytes of voxels, found 239"
        if change < 0
        else "expected at most 0 bytes after the voxels"
    )
    assert f"{image}: {found}" in refusal(path)


@pytest.mark.parametrize("end", [".hdr", ".img"])
def test_one_half_of_a_pair_is_refused_and_the_other_is_named(
    tmp_path: Path, save_analyze: SaveAnalyze, end: str
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS)
    path.with_suffix(end).unlink()
    for half in (path, path.with_suffix(".img")):
        assert f"a{end}: expected " in refusal(half)
        assert "found no such file" in refusal(half)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dim": [4, 4, 5, 6, 2, 1, 1, 1]}, "a 3-D volume"),
        ({"dim": [4, 4, 0, 6, 1, 1, 1, 1]}, "a 3-D volume"),
        ({"dim": [9, 4, 5, 6, 1, 1, 1, 1]}, "a 3-D volume"),
        ({"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]}, "at most 134217728 voxels"),
        ({"datatype": 32}, "integer or float voxels, found complex64"),
        ({"datatype": 1}, "integer or float voxels"),
        ({"datatype": 999}, "datatype code 999"),
        ({"vox_offset": -4}, "voxels from byte 0 on"),
        ({"vox_offset": np.nan}, "voxels from byte 0 on"),
        ({"pixdim": [0, 1, np.nan, 1, 0, 0, 0, 0]}, "voxel sizes of a head"),
        ({"pixdim": [0, 1, np.inf, 1, 0, 0, 0, 0]}, "voxel sizes of a head"),
        ({"pixdim": [0, 1e30, 1, 1, 0, 0, 0, 0]}, "voxel sizes of a head"),
        ({"pixdim": [0, 1e-30, 1, 1, 0, 0, 0, 0]}, "voxel sizes of a head"),
        ({"sizeof_hdr": 349}, "a header of NIfTI-1 or Analyze 7.5"),
    ],
    ids=str,
)
def test_an_impossible_header_is_refused(
    tmp_path: Path, save_analyze: SaveAnalyze, fields: dict[str, object], said: str
) -> None:
    assert said in refusal(save_analyze(tmp_path / "a.hdr", VOXELS, **fields))


def test_the_limit_on_voxels_is_checked_before_they_are_read(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS)
    path.with_suffix(".img").unlink()
    assert "expected at most 119 voxels" in refusal(path, max_voxels=119)
    assert "expected voxels (.img)" in refusal(path, max_voxels=120)


@pytest.mark.parametrize("size", [0, 3, 347])
def test_a_truncated_header_is_refused(
    tmp_path: Path, save_analyze: SaveAnalyze, size: int
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS)
    path.write_bytes(path.read_bytes()[:size])
    assert f"found {size} bytes" in refusal(path)


# NIfTI-1 pairs


def save_nifti_pair(folder: Path) -> Path:
    image = nib.Nifti1Pair(
        VOXELS, np.array([[0, -2.0, 0, 9], [1, 0, 0, 7], [0, 0, 3, -5], [0, 0, 0, 1]])
    )
    nib.save(image, folder / "n.hdr")
    return folder / "n.hdr"


def test_a_nifti_pair_lies_where_its_header_says(tmp_path: Path) -> None:
    path = save_nifti_pair(tmp_path)
    (tmp_path / "n.mat").write_bytes(b"anything")
    for half in (path, path.with_suffix(".img")):
        volume = read_pair(half)
        assert np.array_equal(volume.voxels, VOXELS)
        assert np.array_equal(volume.geometry.affine, nib.Nifti1Pair.from_filename(path).affine)
        assert volume.geometry.header is not None
        assert volume.notes == ()


def test_a_header_that_claims_to_hold_voxels_is_refused(tmp_path: Path) -> None:
    path = save_nifti_pair(tmp_path)
    path.write_bytes(path.read_bytes()[:344] + b"n+1\0")
    assert "expected a header alone" in refusal(path)


# In a folder


def test_a_folder_lists_each_pair_once_and_voxels_without_a_header_by_name(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    for name in ("one_seg", "one_t1", "two_seg", "two_t1", "lost_seg"):
        save_analyze(tmp_path / name, VOXELS)
    (tmp_path / "lost_seg.hdr").unlink()
    (reader,) = oasis_gan_datasets()
    assert reader.recognises(tmp_path)
    for source, target in (("_seg.hdr", "_t1.hdr"), ("_seg.img", "_t1.img")):
        lost, one, two = reader.open(
            Selection(tmp_path, source_suffix=source, target_suffix=target)
        )
        assert [lost.name, one.name, two.name] == ["lost", "one", "two"]
        assert (one.source.path, one.source.parts) == (
            tmp_path / "one_seg.hdr",
            (tmp_path / "one_seg.img",),
        )
        assert np.array_equal(two.read_both()[0].voxels, two.read_both()[1].voxels)
        with pytest.raises(OasisGanError, match=r"lost_seg\.hdr: expected a header"):
            lost.source.read()


# Anything at all


HEADER: bytes = AnalyzeHeader(endianness=">").binaryblock
PLACES = st.one_of(
    st.integers(0, 347),
    st.sampled_from([0, 40, 41, 42, 43, 70, 71, 76, 80, 84, 108, 112, 252, 253, 344]),
)


@settings(max_examples=120)
@given(
    order=st.sampled_from("<>"),
    changes=st.lists(st.tuples(PLACES, st.integers(0, 255)), max_size=6),
    length=st.one_of(st.just(240), st.integers(0, 600)),
)
def test_random_headers_are_refused_or_give_a_volume_with_a_position(
    tmp_path: Path,
    save_analyze: SaveAnalyze,
    order: str,
    changes: list[tuple[int, int]],
    length: int,
) -> None:
    path = save_analyze(tmp_path / "a.hdr", VOXELS, order=order)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[place] = value
    path.write_bytes(data)
    path.with_suffix(".img").write_bytes(bytes(length))
    try:
        volume = read_pair(path)
    except OasisGanError as error:
        assert str(error).startswith(
            (f"{path}: expected ", f"{path.with_suffix('.img')}: expected ")
        )
        assert str(error).isprintable()
        return
    assert volume.voxels.size <= length
    assert min(volume.geometry.spacing) > 0
    zeros = np.zeros(volume.geometry.shape, np.float32)
    write_nifti(Volume(zeros, volume.geometry), tmp_path / "out.nii")
    written = read_nifti(tmp_path / "out.nii").geometry.affine
    assert np.allclose(written, volume.geometry.affine, rtol=1e-5, atol=1e-3)
