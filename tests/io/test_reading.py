"""A NIfTI file is read right or refused in one line that names it, whatever is in it."""

from __future__ import annotations

import gzip
import os
import stat
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from oasis_gan_nifti import write_nifti

from oasis_gan import OasisGanError, Volume, is_nifti_name, read_nifti
from oasis_gan.checks.space import check_place

VOXELS: NDArray[np.float32] = np.random.default_rng(0).uniform(-9, 9, (4, 5, 6)).astype(np.float32)
AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
IMAGES: dict[int, type[nib.Nifti1Image]] = {1: nib.Nifti1Image, 2: nib.Nifti2Image}
SIZES = {1: 348, 2: 540}  # of the headers

Change = Callable[[Any], None]


def content(version: int = 1, voxels: NDArray[Any] = VOXELS, /, **fields: object) -> bytes:
    """Return a NIfTI file whose sform and qform both say AFFINE, but for these header fields."""
    image: nib.Nifti1Image = IMAGES[version](voxels, AFFINE)
    image.set_qform(AFFINE, 1)
    image.set_sform(AFFINE, 1)
    image.header.set_xyzt_units("mm")
    data = image.to_bytes()
    header = type(image.header)(data[: SIZES[version]], check=False)
    for name, value in fields.items():
        if name == "pixdim":
            header["pixdim"][: len(value)] = value  # type: ignore[arg-type]
        else:
            header[name] = value
    return bytes(header.binaryblock) + data[SIZES[version] :]


GOOD = {version: content(version) for version in IMAGES}
ZIPPED = gzip.compress(GOOD[1], mtime=0)
# Without a time stamp: the processes of a test run must give a test the same name.
EMPTY_ZIPPED = gzip.compress(b"", mtime=0)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "scan.nii") -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def refusal(path: Path) -> str:
    """Return why a file is refused."""
    with pytest.raises(OasisGanError) as caught:
        read_nifti(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: expected ")
    assert text.isprintable()  # one line, too
    return text.removeprefix(f"{path}: ")


def assert_trustworthy(volume: Volume, path: Path) -> None:
    """Assert that a volume has a place, and that what is written on it lies there too."""
    geometry = volume.geometry
    assert volume.voxels.shape == geometry.shape
    assert np.isfinite(geometry.affine).all()
    assert np.isfinite(geometry.spacing).all()
    assert min(geometry.spacing) > 0
    output = path.with_name("out.nii")
    try:
        write_nifti(Volume(np.zeros(geometry.shape, np.float32), geometry), output)
    except OasisGanError as error:
        assert "perpendicular axes" in str(error)
    else:
        assert np.allclose(
            read_nifti(output).geometry.affine, geometry.affine, rtol=1e-5, atol=1e-3
        )


# What it is


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path / "no.nii") == "expected a NIfTI file, found no such file; check the path"
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "no regular file" in refusal(tmp_path)


def test_a_named_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nii")
    assert "no regular file" in refusal(tmp_path / "pipe.nii")


@pytest.mark.parametrize(
    ("data", "bytes_"), [(b"", 0), (b"\x1f", 1), (b"x" * 347, 347), (EMPTY_ZIPPED, 0)]
)
def test_a_file_too_short_for_a_header_is_refused(
    save: Callable[..., Path], data: bytes, bytes_: int
) -> None:
    assert f"expected a NIfTI header, found {bytes_} bytes" in refusal(save(data))


@pytest.mark.parametrize("data", [bytes(999), b"\xff" * 999, b"NIfTI " * 200])
def test_another_format_is_refused(save: Callable[..., Path], data: bytes) -> None:
    for each in (data, gzip.compress(data)):
        assert "expected a NIfTI header, found another format" in refusal(save(each, "scan.nii.gz"))


@pytest.mark.parametrize("magic", [b"ni1", b"", b"abc"])
def test_a_header_without_its_voxels_is_refused(save: Callable[..., Path], magic: bytes) -> None:
    assert "header and voxels in one" in refusal(save(content(magic=magic)))


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "SCAN.NII.GZ", "scan"])
def test_the_content_of_a_file_decides_its_format_and_not_its_name(
    save: Callable[..., Path], name: str
) -> None:
    for data in (GOOD[1], ZIPPED):
        assert np.array_equal(read_nifti(save(data, name)).voxels, VOXELS)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("a.nii", True),
        ("a.NII.gz", True),
        ("nii", False),
        ("a.nii.zip", False),
        ("a.gz", False),
        ("a.img", False),
    ],
)
def test_a_nifti_file_is_called_so_in_upper_or_lower_case(name: str, called: bool) -> None:
    assert is_nifti_name(Path("folder.nii") / name) is called


# Damage


@given(cut=st.integers(0, len(GOOD[1]) - 1))
def test_a_truncated_file_is_refused(save: Callable[..., Path], cut: int) -> None:
    refusal(save(GOOD[1][:cut]))


@given(cut=st.integers(0, len(ZIPPED) - 1))
def test_a_truncated_compressed_file_is_refused(save: Callable[..., Path], cut: int) -> None:
    refusal(save(ZIPPED[:cut], "scan.nii.gz"))


@settings(max_examples=150)
@given(bit=st.integers(0, 8 * len(ZIPPED) - 1))
def test_a_flipped_bit_in_a_compressed_file_never_changes_a_voxel(
    save: Callable[..., Path], bit: int
) -> None:
    damaged = bytearray(ZIPPED)
    damaged[bit // 8] ^= 1 << bit % 8
    path = save(bytes(damaged), "scan.nii.gz")
    try:
        volume = read_nifti(path)
    except OasisGanError as error:
        assert str(path) in str(error)
    else:
        # Some bits say nothing of the content, such as gzip's time stamp.
        assert np.array_equal(volume.voxels, VOXELS)
        assert np.array_equal(volume.geometry.affine, AFFINE)


@pytest.mark.parametrize("place", [-8, -4])
def test_a_wrong_checksum_or_length_is_refused(save: Callable[..., Path], place: int) -> None:
    damaged = bytearray(ZIPPED)
    damaged[place] ^= 1
    assert "expected a whole gzip file" in refusal(save(bytes(damaged), "scan.nii.gz"))


@pytest.mark.parametrize("behind", [b"\r\n--boundary--\r\n", b"x", b"<html>" * 9])
def test_other_bytes_after_the_gzip_stream_are_refused(
    save: Callable[..., Path], behind: bytes
) -> None:
    said = refusal(save(ZIPPED + behind, "scan.nii.gz"))
    assert said.startswith(
        "expected nothing after the volume, found other bytes after the gzip stream (b'"
    )


def test_zeros_and_further_members_after_the_gzip_stream_are_accepted(
    save: Callable[..., Path],
) -> None:
    half = len(GOOD[1]) // 2
    members = gzip.compress(GOOD[1][:half]) + gzip.compress(GOOD[1][half:])
    for data in (ZIPPED + bytes(512), members):
        assert np.array_equal(read_nifti(save(data, "scan.nii.gz")).voxels, VOXELS)


def test_a_few_extra_bytes_are_accepted_and_many_are_refused(save: Callable[..., Path]) -> None:
    for spare in (1, 2**20):
        assert np.array_equal(read_nifti(save(GOOD[1] + bytes(spare))).voxels, VOXELS)
    for data in (GOOD[1] + bytes(2**20 + 1), gzip.compress(GOOD[1] + bytes(2**24))):
        assert "bytes after the voxels" in refusal(save(data))


# Dimensions and datatypes


@pytest.mark.parametrize(
    ("shape", "remedy"),
    [
        ((4,), "give the volume that it was taken from"),
        ((4, 5, 6, 2), "split it into 3-D volumes"),
        ((4, 5, 6, 1, 3), "split it into 3-D volumes"),
        ((1, 4, 5, 6), "its first axis seems to be one of channels: remove it"),
    ],
)
def test_what_is_not_three_dimensional_is_refused_with_what_to_do(
    save: Callable[..., Path], shape: tuple[int, ...], remedy: str
) -> None:
    dimensions = ", ".join(map(str, shape))
    said = refusal(save(content(1, np.zeros(shape, np.uint8))))
    assert f"a 3-D volume, found dimensions [{dimensions}]; {remedy}" in said


def test_a_slice_whose_channels_come_first_is_noted(save: Callable[..., Path]) -> None:
    assert read_nifti(save(content(1, VOXELS[:1]))).notes == ()
    (note, _) = read_nifti(save(content(1, VOXELS[:1, ..., np.newaxis]))).notes
    assert (
        note
        == "the first axis has length 1, as channels have: read as a slice, and not as channels"
    )


@pytest.mark.parametrize("itk", [True, False])
def test_a_two_dimensional_image_is_refused_with_how_to_make_it_a_volume(
    tmp_path: Path, itk: bool
) -> None:
    path = tmp_path / "slice.nii"
    if itk:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOXELS[:, :, 0]), str(path))
    else:
        nib.save(nib.Nifti1Image(VOXELS[:, :, 0], AFFINE), path)
    said = refusal(path)
    assert "expected a 3-D volume, found dimensions [" in said
    remedy = "; save it as a volume of one slice, with a third axis of length 1, or "
    assert f"{remedy}give the volume it was taken" in said
    nib.save(nib.Nifti1Image(VOXELS[:, :, :1], AFFINE), path)
    assert np.array_equal(read_nifti(path).voxels, VOXELS[:, :, :1])


@pytest.mark.parametrize("more", [(1,), (1, 1), (1, 1, 1, 1)])
def test_trailing_axes_of_length_one_are_dropped(
    save: Callable[..., Path], more: tuple[int, ...]
) -> None:
    volume = read_nifti(save(content(1, VOXELS.reshape(VOXELS.shape + more))))
    assert np.array_equal(volume.voxels, VOXELS)


@pytest.mark.parametrize(
    "dim", [[3, 0, 5, 6], [3, 4, 5, -6], [0, 4, 5, 6], [8, 4, 5, 6], [-1, 4, 5, 6]]
)
def test_impossible_dimensions_are_refused(save: Callable[..., Path], dim: list[int]) -> None:
    assert "expected a 3-D volume" in refusal(save(content(dim=[*dim, 1, 1, 1, 1])))


@pytest.mark.parametrize(
    ("version", "sizes"),
    [(1, [32767] * 3), (2, [2**62, 2**62, 2**62]), (2, [2**40, 1, 1]), (1, [640, 640, 640])],
)
def test_a_huge_volume_is_refused_at_once_and_before_memory_is_allocated(
    save: Callable[..., Path], version: int, sizes: list[int]
) -> None:
    path = save(content(version, dim=[3, *sizes, 1, 1, 1, 1]))
    tracemalloc.start()
    start = time.monotonic()
    assert refusal(path)
    assert time.monotonic() - start < 2
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


@pytest.mark.parametrize("datatype", [0, 1, 32, 128, 255, 1536, 1792, 2304, -5, 77])
def test_voxels_that_are_no_numbers_or_are_complex_are_refused(
    save: Callable[..., Path], datatype: int
) -> None:
    assert "expected integer or float voxels" in refusal(save(content(datatype=datatype)))


@pytest.mark.parametrize(
    "dtype",
    [
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
    ],
)
@pytest.mark.parametrize("order", "<>")
def test_every_number_is_read_in_either_byte_order(
    save: Callable[..., Path], dtype: str, order: str
) -> None:
    voxels = np.arange(120).reshape(4, 5, 6).astype(dtype)
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(voxels.dtype)
    volume = read_nifti(
        save(nib.Nifti1Image(voxels, AFFINE, header, dtype=voxels.dtype).to_bytes())
    )
    assert volume.voxels.dtype == np.dtype(dtype)
    assert np.array_equal(volume.voxels, voxels)
    assert np.array_equal(volume.geometry.affine, AFFINE)


@pytest.mark.parametrize("offset", [0, 351, -352, np.nan, np.inf, -np.inf, 1e9, 3e38])
def test_voxels_at_an_impossible_place_in_the_file_are_refused(
    save: Callable[..., Path], offset: float
) -> None:
    assert "expected voxels from byte 352 on" in refusal(save(content(vox_offset=offset)))


def test_voxels_beyond_the_end_of_the_file_are_refused(save: Callable[..., Path]) -> None:
    assert "found a shorter file" in refusal(save(content(vox_offset=1e6)))


def test_voxels_behind_an_extension_are_found(save: Callable[..., Path]) -> None:
    data = content(vox_offset=352 + 64)
    assert np.array_equal(read_nifti(save(data[:352] + bytes(64) + data[352:])).voxels, VOXELS)


@pytest.mark.parametrize("version", IMAGES)
def test_both_versions_of_the_format_are_read(save: Callable[..., Path], version: int) -> None:
    volume = read_nifti(save(GOOD[version]))
    assert np.array_equal(volume.voxels, VOXELS)
    assert np.array_equal(volume.geometry.affine, AFFINE)
    assert volume.notes == ()


# Slope and intercept


def test_slope_and_intercept_are_applied(save: Callable[..., Path]) -> None:
    volume = read_nifti(save(content(1, VOXELS.astype(np.int16), scl_slope=0.5, scl_inter=-3)))
    assert np.array_equal(volume.voxels, VOXELS.astype(np.int16) * 0.5 - 3)


@pytest.mark.parametrize("slope", [0, np.nan, np.inf, -np.inf])
def test_a_slope_of_0_or_not_finite_scales_nothing(save: Callable[..., Path], slope: float) -> None:
    assert np.array_equal(read_nifti(save(content(scl_slope=slope, scl_inter=7))).voxels, VOXELS)


@pytest.mark.parametrize("inter", [np.nan, np.inf])
def test_an_intercept_that_is_not_finite_is_noted_and_taken_as_0(
    save: Callable[..., Path], inter: float
) -> None:
    volume = read_nifti(save(content(scl_slope=2, scl_inter=inter)))
    assert np.array_equal(volume.voxels, VOXELS * 2)
    assert volume.notes == ("scl_inter is not finite, taken as 0",)


def test_a_negative_slope_is_noted(save: Callable[..., Path]) -> None:
    assert read_nifti(save(content(scl_slope=-1))).notes == (
        "scl_slope is -1: intensities are inverted",
    )


@pytest.mark.parametrize("slope", [np.inf, -np.inf])
def test_an_infinite_slope_scales_nothing_and_is_noted(
    save: Callable[..., Path], slope: float
) -> None:
    volume = read_nifti(save(content(scl_slope=slope)))
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.notes == (
        f"scl_slope is {slope:g}, which scales nothing: voxels are taken as they are stored",
    )


def test_a_colour_image_is_recognised_and_refused(save: Callable[..., Path]) -> None:
    colours = np.zeros((4, 5, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    data = nib.Nifti1Image(colours, np.eye(4)).to_bytes()
    assert "found colours (RGB); convert it to grey levels" in refusal(save(data))


def test_a_path_may_be_text(save: Callable[..., Path]) -> None:
    assert np.array_equal(read_nifti(str(save(GOOD[1]))).voxels, VOXELS)


def test_a_slope_that_takes_voxels_out_of_bounds_makes_them_inf(save: Callable[..., Path]) -> None:
    assert np.isinf(read_nifti(save(content(scl_slope=3e38))).voxels).any()


# Where the voxels lie


@pytest.mark.parametrize(
    ("unit", "millimetres"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (7, 1), (10, 1)]
)
def test_units_become_millimetres_and_stay_in_the_header(
    save: Callable[..., Path], unit: int, millimetres: float
) -> None:
    geometry = read_nifti(save(content(xyzt_units=unit))).geometry
    assert np.allclose(geometry.affine[:3], AFFINE[:3] * millimetres, rtol=1e-12)
    assert geometry.header is not None
    assert geometry.header.spatial_unit == unit & 7
    assert geometry.header.srow[0] == (-2, 0, 0, 90)


def test_small_voxels_in_metres_are_not_taken_for_none(save: Callable[..., Path]) -> None:
    rows = {f"srow_{name}": 5e-5 * np.eye(4)[axis] for axis, name in enumerate("xyz")}
    assert read_nifti(save(content(xyzt_units=1, **rows))).geometry.spacing == pytest.approx(
        (0.05, 0.05, 0.05)
    )


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize("size", [np.nan, np.inf])
def test_voxel_sizes_that_are_no_numbers_are_refused(
    save: Callable[..., Path], place: int, size: float
) -> None:
    pixdim = [1, 2, 2, 2]
    pixdim[place] = size  # type: ignore[call-overload]
    assert "expected finite voxel sizes" in refusal(save(content(pixdim=pixdim)))


@pytest.mark.parametrize(
    "row", [[0, 0, 0, 5], [np.nan, 0, 0, 0], [np.inf, 0, 0, 0], [2, 0, 0, 1e30], [1e-30, 0, 0, 0]]
)
def test_an_unusable_sform_gives_way_to_the_qform_and_is_not_carried_over(
    save: Callable[..., Path], row: list[float]
) -> None:
    volume = read_nifti(save(content(srow_x=row)))
    assert np.allclose(volume.geometry.affine, AFFINE)
    assert volume.geometry.header is None
    assert volume.notes == ("the sform is unusable",)


@pytest.mark.parametrize(
    "fields",
    [
        {"quatern_b": 3},
        {"quatern_b": np.nan},
        {"qoffset_x": np.inf},
        {"pixdim": [-3]},
        {"pixdim": [1, 0]},
    ],
    ids=str,
)
def test_a_file_without_a_usable_position_is_refused(
    save: Callable[..., Path], fields: dict[str, object]
) -> None:
    found = (
        "expected an invertible sform or qform, found the sform is unusable; the qform is unusable"
    )
    assert found in refusal(save(content(srow_x=[0, 0, 0, 0], **fields)))
    assert "found the qform is unusable" in refusal(save(content(sform_code=0, **fields)))


@pytest.mark.parametrize("forms", [(1, 1), (1, 0), (0, 1)])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_negative_voxel_sizes_flip_nothing(
    save: Callable[..., Path], tmp_path: Path, forms: tuple[int, int], place: int
) -> None:
    pixdim = [-1.0, 2, 2, 2]
    positive = save(
        content(sform_code=forms[0], qform_code=forms[1], pixdim=pixdim), "positive.nii"
    )
    pixdim[place] = -2
    path = save(content(sform_code=forms[0], qform_code=forms[1], pixdim=pixdim))
    volume = read_nifti(path)
    as_positive = read_nifti(positive)
    assert np.array_equal(volume.geometry.affine, as_positive.geometry.affine)
    note = (
        "voxel sizes are negative: their absolute values are used, as nibabel does; "
        "ITK turns such axes over"
    )
    assert volume.notes == (note,)
    assert not [
        finding.message for finding in check_place(volume.geometry) if "disagree" in finding.message
    ]
    assert_trustworthy(volume, tmp_path / "x")


@pytest.mark.parametrize("handedness", [0, 2, 17])
def test_only_a_negative_qfac_flips_the_third_axis(
    save: Callable[..., Path], handedness: float
) -> None:
    data = content(sform_code=0, pixdim=[handedness], quatern_b=0, quatern_c=0, quatern_d=0)
    volume = read_nifti(save(data))
    assert np.allclose(volume.geometry.affine, nib.Nifti1Image.from_bytes(data).affine)
    assert np.linalg.det(volume.geometry.affine) > 0


@pytest.mark.parametrize("sizes", [(2, 3, 4), (-2, 3, -4), (0, 0, 0)])
def test_a_header_without_orientation_is_taken_as_nibabel_does(
    save: Callable[..., Path], sizes: tuple[int, ...]
) -> None:
    data = content(sform_code=0, qform_code=0, pixdim=[1, *sizes])
    volume = read_nifti(save(data))
    assert np.array_equal(volume.geometry.affine, nib.Nifti1Image.from_bytes(data).affine)
    assert volume.notes[-1].startswith("no orientation in the header")
    assert any("not positive" in note for note in volume.notes) is (min(sizes) <= 0)


@pytest.mark.parametrize("code", [-1, 6, 32767])
def test_an_unknown_code_is_noted_and_not_carried_over(
    save: Callable[..., Path], code: int
) -> None:
    for form in ("sform", "qform"):
        volume = read_nifti(save(content(**{f"{form}_code": code})))
        assert volume.notes == (f"{form}_code {code} is unknown",)
        assert volume.geometry.header is None
        assert np.allclose(volume.geometry.affine, AFFINE)


@pytest.mark.parametrize(("shear", "noted"), [(1e-6, False), (1e-4, True), (4e-3, True)])
def test_a_little_shear_is_noted(save: Callable[..., Path], shear: float, noted: bool) -> None:
    volume = read_nifti(save(content(srow_x=[-2, 2 * shear, 0, 90])))
    assert any(note.startswith("axes are sheared") for note in volume.notes) is noted


def test_a_sheared_header_is_refused_by_name(save: Callable[..., Path]) -> None:
    assert "expected perpendicular axes, found a shear of 0.02" in refusal(
        save(content(srow_x=[-2, 0.04, 0, 90]))
    )


def test_doubles_that_a_nifti1_header_cannot_hold_are_not_carried_over(
    save: Callable[..., Path],
) -> None:
    volume = read_nifti(save(content(2, qoffset_x=1e200)))
    assert volume.geometry.header is None
    assert np.array_equal(volume.geometry.affine, AFFINE)


@pytest.mark.parametrize("version", IMAGES)
def test_a_signalling_nan_is_a_nan(save: Callable[..., Path], version: int) -> None:
    signal = {1: struct.pack("<I", 0x7FA00000), 2: struct.pack("<Q", 0x7FF4 << 48)}[version]
    fields: Any = IMAGES[version].header_class.template_dtype.fields
    aside = "the qform is unusable: the sform is used"
    for name, found in (
        ("srow_z", "the sform is unusable"),
        ("quatern_b", aside),
        ("qoffset_y", aside),
    ):
        data = bytearray(GOOD[version])
        place = fields[name][1]
        data[place : place + len(signal)] = signal
        path = save(bytes(data))
        volume = read_nifti(path)
        assert volume.notes == (found,)
        assert_trustworthy(volume, path)


# Anything at all


@settings(max_examples=200)
@given(
    version=st.sampled_from(list(IMAGES)),
    changes=st.lists(st.tuples(st.integers(0, 539), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_random_bytes_in_a_header_are_refused_or_give_a_volume_with_a_position(
    save: Callable[..., Path], version: int, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(GOOD[version])
    for place, value in changes:
        data[place % SIZES[version]] = value
    path = save(bytes(data))
    try:
        volume = read_nifti(path)
    except OasisGanError as error:
        assert str(error).startswith(f"{path}: expected ")
        assert str(error).isprintable()
    else:
        assert_trustworthy(volume, path)


FLOATS = [
    "pixdim",
    "quatern_b",
    "quatern_c",
    "quatern_d",
    "qoffset_x",
    "srow_x",
    "srow_y",
    "srow_z",
]
NUMBERS = st.one_of(
    st.sampled_from([0.0, -1.0, np.nan, np.inf, 1e-30, 1e30, 3e38]), st.floats(width=32)
)


@settings(max_examples=200)
@given(
    version=st.sampled_from(list(IMAGES)),
    codes=st.tuples(st.sampled_from([0, 1, 4, -1, 9]), st.sampled_from([0, 1, 4, -1, 9])),
    fields=st.dictionaries(
        st.sampled_from(FLOATS), st.lists(NUMBERS, min_size=4, max_size=4), min_size=1
    ),
    units=st.integers(0, 255),
)
def test_random_positions_in_a_header_are_refused_or_give_a_volume_with_a_position(
    save: Callable[..., Path],
    version: int,
    codes: tuple[int, int],
    fields: dict[str, list[float]],
    units: int,
) -> None:
    values = {
        name: value if name[:3] in {"pix", "sro"} else value[0] for name, value in fields.items()
    }
    path = save(
        content(version, sform_code=codes[0], qform_code=codes[1], xyzt_units=units, **values)
    )
    try:
        volume = read_nifti(path)
    except OasisGanError as error:
        assert str(error).isprintable()
    else:
        assert_trustworthy(volume, path)


@given(data=st.binary(max_size=600))
def test_random_files_are_refused(save: Callable[..., Path], data: bytes) -> None:
    refusal(save(data))
    refusal(save(b"\x1f\x8b\x08" + data))
    refusal(save(struct.pack("<i", 348) + data))


def test_reading_leaves_the_file_as_it_is(save: Callable[..., Path]) -> None:
    path = save(ZIPPED)
    path.chmod(stat.S_IRUSR)
    read_nifti(path)
    assert path.read_bytes() == ZIPPED
    assert [other.name for other in path.parent.iterdir()] == [path.name]
