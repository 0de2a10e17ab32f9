"""NRRD and MetaImage lie where SimpleITK puts them, or are refused in one line."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.itk_images import VOXELS, images, itk_affine, make_image, save_image

from oasis_gan import OasisGanError, read_volume, volume_scan

ENDINGS = (".nrrd", ".nhdr", ".mha", ".mhd")
NRRD = """NRRD0004
type: short
dimension: 3
space: left-posterior-superior
sizes: 4 5 6
space directions: (1,0,0) (0,2,0) (0,0,3)
space origin: (10,20,30)
endian: little
encoding: raw
"""
META = """ObjectType = Image
NDims = 3
BinaryData = True
CompressedData = False
TransformMatrix = 1 0 0 0 1 0 0 0 1
Offset = 10 20 30
ElementSpacing = 1 2 3
DimSize = 4 5 6
ElementType = MET_SHORT
"""
DATA = VOXELS.tobytes(order="F")
NAME = "Doe^Jane"
"""The name of a patient, which may stand in a header and must not be quoted."""


def write_nrrd(path: Path, header: str = NRRD, data: bytes = DATA) -> Path:
    path.write_bytes(f"{header}\n".encode() + data)
    return path


def write_meta(path: Path, header: str = META, data: bytes = DATA) -> Path:
    path.write_bytes(f"{header}ElementDataFile = LOCAL\n".encode() + data)
    return path


def refusal(path: Path, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(OasisGanError) as caught:
        read_volume(path, **options)
    said = str(caught.value)
    assert said.startswith(f"{path}: expected ")
    assert said.isprintable()  # one line, too
    assert NAME not in said
    return said


# Where voxels lie


@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "compressed"])
@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(image=images())
def test_a_volume_lies_where_simpleitk_puts_it(
    tmp_path: Path,
    ending: str,
    compressed: bool,
    image: Any,  # noqa: ANN401
) -> None:
    path = save_image(tmp_path / f"a{ending}", image, compressed=compressed)
    volume = read_volume(path)
    corners = volume.geometry.corners
    np.testing.assert_allclose(
        volume.geometry.affine @ corners, itk_affine(path) @ corners, atol=1e-6, rtol=0
    )
    assert np.array_equal(volume.voxels, VOXELS)
    assert volume.notes == ()


@pytest.mark.parametrize(
    "change",
    [
        ("left-posterior-superior", "right-anterior-superior"),
        ("left-posterior-superior", "left-anterior-superior"),
        ("left-posterior-superior", "RAS"),
        ("left-posterior-superior", "LPS"),
        ("space origin: (10,20,30)\n", ""),
        ("\n", "\r\n"),
        ("space origin", "# a comment\nkey:=value\nspace origin"),
        ("endian", 'space units: "mm" "mm" "mm"\nendian'),
    ],
    ids=str,
)
def test_the_fields_of_nrrd_mean_what_they_mean_to_simpleitk(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    header = NRRD.replace(*change)
    path = tmp_path / "a.nrrd"
    end = b"\r\n" if "\r" in header else b"\n"
    path.write_bytes(header.encode() + end + DATA)
    volume = read_volume(path)
    np.testing.assert_allclose(volume.geometry.affine, itk_affine(path), atol=1e-6)
    assert np.array_equal(volume.voxels, VOXELS)


@pytest.mark.parametrize(
    "change",
    [
        ("Offset", "Position"),
        ("Offset", "Origin"),
        ("TransformMatrix", "Rotation"),
        ("TransformMatrix", "Orientation"),
        ("1 0 0 0 1 0 0 0 1", "0 1 0 0 0 -1 1 0 0"),
        ("ElementSpacing = 1", "ElementSpacing = -1"),
        ("ElementSpacing", "ElementSize"),
        ("DimSize", "CenterOfRotation = 5 6 7\nAnatomicalOrientation = RAS\nDimSize"),
        ("TransformMatrix = 1 0 0 0 1 0 0 0 1\n", ""),
        ("Offset = 10 20 30\n", ""),
    ],
    ids=str,
)
def test_the_fields_of_metaimage_mean_what_they_mean_to_simpleitk(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    path = write_meta(tmp_path / "a.mha", META.replace(*change))
    volume = read_volume(path)
    np.testing.assert_allclose(volume.geometry.affine, itk_affine(path), atol=1e-6)
    assert np.array_equal(volume.voxels, VOXELS)


def test_nrrd_without_orientation_lies_where_simpleitk_puts_it_with_a_note(tmp_path: Path) -> None:
    header = "\n".join(line for line in NRRD.splitlines() if not line.startswith("space"))
    path = write_nrrd(tmp_path / "a.nrrd", f"{header}\nspacings: 1 2 3\n")
    volume = read_volume(path)
    np.testing.assert_allclose(volume.geometry.affine, itk_affine(path), atol=1e-6)
    (note,) = volume.notes
    assert note.startswith("no orientation in the header")


def test_metaimage_without_a_position_has_a_note(tmp_path: Path) -> None:
    header = META.replace("Offset = 10 20 30\n", "")
    volume = read_volume(write_meta(tmp_path / "a.mha", header))
    assert volume.notes == ("no Offset in the header: taken as ITK does",)


# Voxels


@pytest.mark.parametrize("ending", ENDINGS)
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
def test_every_kind_of_voxel_is_read(tmp_path: Path, ending: str, dtype: str) -> None:
    voxels = np.abs(VOXELS % 100).astype(dtype)
    read = read_volume(save_image(tmp_path / f"a{ending}", make_image(voxels))).voxels
    assert read.dtype == voxels.dtype
    assert np.array_equal(read, voxels)


def test_voxels_of_the_other_byte_order_are_read(tmp_path: Path) -> None:
    data = VOXELS.astype(">i2").tobytes(order="F")
    nrrd = write_nrrd(tmp_path / "a.nrrd", NRRD.replace("little", "big"), data)
    meta = write_meta(tmp_path / "a.mha", f"BinaryDataByteOrderMSB = True\n{META}", data)
    for path in (nrrd, meta):
        assert np.array_equal(read_volume(path).voxels, VOXELS)
        assert read_volume(path).voxels.dtype.isnative


@pytest.mark.parametrize("skip", [0, 7, -1])
def test_bytes_before_the_voxels_are_skipped(tmp_path: Path, skip: int) -> None:
    data = bytes(max(skip, 0)) + DATA
    (tmp_path / "voxels.raw").write_bytes(data)
    nrrd = write_nrrd(tmp_path / "a.nhdr", f"{NRRD}byte skip: {skip}\ndata file: voxels.raw\n", b"")
    meta = tmp_path / "a.mhd"
    meta.write_text(f"{META}HeaderSize = {skip}\nElementDataFile = voxels.raw")
    for path in (nrrd, meta):
        assert np.array_equal(read_volume(path).voxels, VOXELS)


def test_a_trailing_axis_of_one_frame_is_dropped(tmp_path: Path) -> None:
    header = NRRD.replace("sizes: 4 5 6", "sizes: 4 5 6 1").replace("dimension: 3", "dimension: 4")
    header = header.replace("(0,0,3)", "(0,0,3) none")
    assert np.array_equal(read_volume(write_nrrd(tmp_path / "a.nrrd", header)).voxels, VOXELS)


def test_the_content_of_a_file_decides_its_format_and_not_its_name(tmp_path: Path) -> None:
    for name, write in (("a.mha", write_nrrd), ("a.nii", write_nrrd), ("b.nii.gz", write_meta)):
        assert np.array_equal(read_volume(write(tmp_path / name)).voxels, VOXELS)


@pytest.mark.parametrize("ending", [".nhdr", ".mhd"])
def test_a_scan_names_the_file_of_its_voxels(tmp_path: Path, ending: str) -> None:
    path = save_image(tmp_path / f"a{ending}")
    (part,) = volume_scan(path).parts
    assert part == tmp_path / "a.raw"


# What is refused


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("sizes: 4 5 6", "sizes: 4 5 6 2"), "a 3-D volume, found dimensions [4, 5, 6, 2]"),
        (("sizes: 4 5 6", "sizes: 4 5 0"), "a 3-D volume"),
        (("sizes: 4 5 6", "sizes: 4 5 x"), "sizes with whole numbers"),
        (("sizes: 4 5 6\n", ""), "sizes with whole numbers, found no such field"),
        (("sizes: 4 5 6", "sizes: 999999 999999 999999"), "at most 134217728 voxels"),
        (("type: short", "type: block"), "integer or float voxels"),
        (("type: short\n", ""), "integer or float voxels"),
        (("encoding: raw", "encoding: ascii"), "raw or gzip or bzip2, found text"),
        (("encoding: raw", f"encoding: {NAME}"), "found another encoding"),
        (("endian: little\n", ""), "endian with little or big"),
        (("left-posterior-superior", "scanner-xyz"), "space with right-anterior-superior"),
        (("(0,0,3)", "(0,0,nan)"), "space directions with three vectors"),
        (("(0,0,3)", "(0,0)"), "space directions with three vectors"),
        (("(0,0,3)", "(0,0,0)"), "a usable position"),
        (("(0,0,3)", "(0,1,3)"), "perpendicular axes"),
        (("(10,20,30)", "(10,20)"), "space origin with 3 numbers"),
        (("(10,20,30)", "(10,20,1e300)"), "a usable position"),
        (("endian", 'space units: "um" "um" "um"\nendian'), "space units with mm"),
        (("endian", "kinds: RGB-color domain domain\nendian"), "several components"),
        (("endian", "line skip: 3\nendian"), "line skip with 0"),
        (("endian", "byte skip: -5\nendian"), "byte skip with a number"),
        (("endian", "byte skip: 99999999999999\nendian"), "a shorter file"),
        (("endian", f"{NAME}: 1\n{NAME}: 2\nendian"), "each field with one line"),
        (("endian", "data file: /etc/passwd\nendian"), "a path that leads out of it"),
        (("endian", "data file: ../a.raw\nendian"), "a path that leads out of it"),
        (("endian", "data file: sub/../../a.raw\nendian"), "a path that leads out of it"),
        (("endian", "data file: C:\\a.raw\nendian"), "a path that leads out of it"),
        (("endian", "data file: a%03d.raw 1 9 1\nendian"), "the voxels in one file"),
        (("endian", "data file: LIST\na.raw\nendian"), "the voxels in one file"),
        (("encoding: raw", "encoding: gzip"), "a damaged or incomplete stream"),
        (("encoding: raw", "encoding: bzip2"), "a damaged or incomplete stream"),
    ],
    ids=str,
)
def test_an_impossible_header_of_nrrd_is_refused(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    header = NRRD.replace(*change)
    assert header != NRRD
    assert said in refusal(write_nrrd(tmp_path / "a.nrrd", header))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("DimSize = 4 5 6", "DimSize = 4 5 6 2"), "a 3-D volume, found dimensions [4, 5, 6, 2]"),
        (("DimSize = 4 5 6", "DimSize = 4 5"), "a 3-D volume"),
        (("DimSize = 4 5 6", "DimSize = 999999 999999 999999"), "at most 134217728 voxels"),
        (("DimSize = 4 5 6\n", ""), "DimSize with whole numbers, found no such field"),
        (("MET_SHORT", "MET_OTHER"), "integer or float voxels"),
        (("MET_SHORT", "MET_SHORT_ARRAY"), "several components"),
        (("DimSize", "ElementNumberOfChannels = 3\nDimSize"), "several components"),
        (("BinaryData = True", "BinaryData = False"), "binary data, found text"),
        (("DimSize", "DistanceUnits = um\nDimSize"), "DistanceUnits with mm"),
        (("ElementSpacing = 1 2 3", "ElementSpacing = 1 2"), "ElementSpacing with 3 numbers"),
        (("ElementSpacing = 1 2 3", "ElementSpacing = 1 2 0"), "a usable position"),
        (("1 0 0 0 1 0 0 0 1", "1 0 0 0 1 0 0 0 nan"), "TransformMatrix with 9 numbers"),
        (("1 0 0 0 1 0 0 0 1", "1 0 0 1 1 0 0 0 1"), "perpendicular axes"),
        (("DimSize", "HeaderSize = -2\nDimSize"), "HeaderSize with a number of bytes"),
        (("DimSize", f"{NAME} = 1\n{NAME} = 2\nDimSize"), "each field with one line"),
        (("CompressedData = False", "CompressedData = True"), "a damaged or incomplete stream"),
    ],
    ids=str,
)
def test_an_impossible_header_of_metaimage_is_refused(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    header = META.replace(*change)
    assert header != META
    assert said in refusal(write_meta(tmp_path / "a.mha", header))


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.raw", "sub/../../a.raw", "C:\\a.raw"])
def test_voxels_outside_the_folder_of_their_header_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.mhd").write_text(f"{META}ElementDataFile = {name}\n")
    assert "a path that leads out of it" in refusal(tmp_path / "a.mhd")


@pytest.mark.parametrize("name", ["LIST", "slice%03d.raw 1 6 1"])
def test_voxels_in_a_file_for_each_slice_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.mhd").write_text(f"{META}ElementDataFile = {name}\n")
    assert "the voxels in one file" in refusal(tmp_path / "a.mhd")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("compressed", [False, True], ids=["raw", "compressed"])
def test_a_truncated_file_is_refused(tmp_path: Path, ending: str, compressed: bool) -> None:
    path = save_image(tmp_path / f"a{ending}", compressed=compressed)
    for file in sorted(tmp_path.iterdir()):
        whole = file.read_bytes()
        # A header alone is still one if only the end of a comment or a line is missing.
        last = len(whole) if file != path or len(list(tmp_path.iterdir())) == 1 else 300
        for cut in range(0, last, 41):
            file.write_bytes(whole[:cut])
            with pytest.raises(OasisGanError, match="expected "):
                read_volume(path)
        file.write_bytes(whole)


@pytest.mark.parametrize("ending", [".nhdr", ".mhd"])
def test_a_header_without_its_voxels_names_the_file_that_is_missing(
    tmp_path: Path, ending: str
) -> None:
    path = save_image(tmp_path / f"a{ending}")
    (tmp_path / "a.raw").unlink()
    with pytest.raises(OasisGanError, match=r"a\.raw: expected .*found no such file"):
        read_volume(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_limit_on_voxels_is_respected(tmp_path: Path, ending: str) -> None:
    path = save_image(tmp_path / f"a{ending}")
    assert "at most 119 voxels" in refusal(path, max_voxels=119)
    assert read_volume(path, max_voxels=120).voxels.size == 120


def test_a_bomb_is_refused_before_memory_is_allocated(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(2**25))
    path = write_nrrd(tmp_path / "a.nrrd", NRRD.replace("raw", "gzip"), bomb)
    tracemalloc.start()
    assert "bytes after the voxels" in refusal(path)
    huge = write_nrrd(tmp_path / "b.nrrd", NRRD.replace("4 5 6", "500 500 500"))
    assert "expected 250000000 bytes of voxels" in refusal(huge)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**25


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes"),
        (b"\x89PNG\r\n\x1a\n" + bytes(999), "a PNG picture"),
        (b"\xff" * 999, "another format"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    ],
)
def test_another_content_is_recognised(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refusal(tmp_path / name)


@pytest.mark.parametrize(("write", "header"), [(write_nrrd, NRRD), (write_meta, META)])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 180), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 400),
)
def test_random_headers_are_refused_or_give_a_volume_with_a_position(
    tmp_path: Path,
    write: Any,  # noqa: ANN401
    header: str,
    changes: list[tuple[int, int]],
    cut: int,
) -> None:
    path = write(tmp_path / "a.nrrd", header)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[place] = value
    path.write_bytes(data[: len(data) - cut // 4])
    try:
        volume = read_volume(path)
    except OasisGanError as error:
        assert ": expected " in str(error)
        assert str(error).isprintable()
        return
    assert np.isfinite(volume.geometry.affine).all()
    assert min(volume.geometry.spacing) > 0
