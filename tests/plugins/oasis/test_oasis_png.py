"""The OASIS PNG slices, in every form in which they reach a disk, become volumes, or a line that says why not."""

from __future__ import annotations

import io
import json
import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import oasis_gan_nifti
import oasis_gan_oasis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.tool import Painting, oasis_gan
from numpy.typing import NDArray
from PIL import Image

from oasis_gan import (
    OASIS,
    AssumptionNote,
    Dataset,
    Exporter,
    Geometry,
    OasisGanError,
    RepairNote,
    Selection,
    Subject,
    Volume,
    is_nifti_name,
)
from oasis_gan.testing import DatasetContract, ExporterContract

Pixels = NDArray[Any]
READER: Dataset = {dataset.name: dataset for dataset in oasis_gan_oasis.oasis_gan_datasets()}[
    "oasis-png"
]
WRITER: Exporter = {exporter.name: exporter for exporter in oasis_gan_oasis.oasis_gan_exporters()}[
    "oasis-png"
]
ROWS = 14
COLUMNS = 12
PNG = b"\x89PNG\r\n\x1a\n"
STEPS = {"0 to 3": (np.uint8, 1), "0 to 255": (np.uint8, 85), "16 bits": (np.uint16, 21845)}


def labels(case: int, number: int) -> Pixels:
    """Return a slice of labels, another one for each case and number."""
    return np.random.default_rng([case, number]).integers(0, 4, (ROWS, COLUMNS), np.uint8)


def image(case: int, number: int) -> Pixels:
    """Return a slice of an MRI, in which tissues are brighter from one to the next."""
    return np.asarray(labels(case, number) * 60 + case % 50, np.uint8)


def as_png(pixels: Pixels, **options: Any) -> bytes:  # noqa: ANN401
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def put(path: Path, pixels: Pixels | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pixels if isinstance(pixels, bytes) else as_png(pixels))
    return path


def make(root: Path, slices: int = 12, images: str = "keras_png_slices_{}", segs: str = "keras_png_slices_seg_{}",
         prefix: str = "seg", step: int = 85) -> Path:  # fmt: skip
    """Write two cases for training and one for each other side, as the data have them."""
    for split, cases in {"train": (1, 2), "validate": (402,), "test": (441,)}.items():
        for case in cases:
            for number in range(slices):
                name = f"{case:03d}_slice_{number}.nii.png"
                put(root / images.format(split) / f"case_{name}", image(case, number))
                put(
                    root / segs.format(split) / f"{prefix}_{name}",
                    labels(case, number) * np.uint8(step),
                )
    return root


def zipped(folder: Path, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def listed(root: Path, target: Path | None = None, **options: Any) -> dict[str, Subject]:  # noqa: ANN401
    return {subject.name: subject for subject in READER.open(Selection(root, target, **options))}


def refusal(call: Callable[[], object]) -> str:
    """Return why something is refused."""
    with pytest.raises(OasisGanError) as caught:
        call()
    assert str(caught.value).isprintable()  # one line, too
    return str(caught.value)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make(tmp_path / "in" / "keras_png_slices_data")


# Which layouts


def assert_all_there(found: dict[str, Subject]) -> None:
    assert list(found) == ["case_001", "case_002", "case_402", "case_441"]
    assert [subject.split for subject in found.values()] == ["train", "train", "validate", "test"]
    for case, subject in zip((1, 2, 402, 441), found.values(), strict=True):
        source, target = subject.paired()
        assert subject.source.labels is OASIS
        assert source.voxels.shape == (COLUMNS, ROWS, 12)
        for number in range(12):
            np.testing.assert_array_equal(source.voxels[:, ::-1, number].T, labels(case, number))
            np.testing.assert_array_equal(target.voxels[:, ::-1, number].T, image(case, number))


LAYOUTS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "nested": {
        "images": "slices/keras_png_slices_{}",
        "segs": "slices_seg/keras_png_slices_seg_{}",
    },
    "nested, seg said once": {
        "images": "slices/keras_png_slices_{}",
        "segs": "slices_seg/keras_png_slices_{}",
    },
    "a folder for ImageFolder": {
        "images": "keras_png_slices_{}/data",
        "segs": "keras_png_slices_seg_{}/data",
    },
    "labels called like their mates": {"prefix": "case"},
    "labels from 0 to 3": {"step": 1},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["folder", "its parent", "zip"])
def test_every_layout_gives_the_same_pairs(tmp_path: Path, layout: str, form: str) -> None:
    root = make(tmp_path / "in" / "keras_png_slices_data", **LAYOUTS[layout])
    root = {
        "folder": root,
        "its parent": root.parent,
        "zip": zipped(root, tmp_path / "slices.ZIP"),
    }[form]
    assert READER.recognises(root)
    assert_all_there(listed(root))


def test_linked_folders_of_slices_count_like_any_other(data: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    for folder in data.iterdir():
        (tmp_path / "links" / folder.name).symlink_to(folder)
        (folder / "loop").symlink_to(folder)
    assert_all_there(listed(tmp_path / "links"))


def test_a_slice_that_has_not_been_fetched_or_is_no_png_is_called_what_it_is(
    data: Path, tmp_path: Path
) -> None:
    path = next(data.rglob("*.png"))
    for content, said in (
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "LFS"),
    ):
        path.write_bytes(content)
        assert said in refusal(lambda: [subject.paired() for subject in listed(data).values()])
    path.unlink()
    path.symlink_to("../.git/annex/objects/x")
    assert "has not been fetched" in refusal(
        lambda: [subject.paired() for subject in listed(data).values()]
    )


def test_a_zip_that_has_not_been_fetched_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "slices.zip"
    path.write_bytes(b"/annex/objects/MD5E-s12--abc.zip\n")
    assert "has not been fetched; fetch it with datalad get" in refusal(lambda: listed(path))


def test_macos_leftovers_are_passed_over(data: Path) -> None:
    put(data / "keras_png_slices_train" / "._case_001_slice_0.nii.png", b"rubbish")
    put(
        data.parent / "__MACOSX" / "keras_png_slices_train" / "._case_001_slice_1.nii.png",
        b"rubbish",
    )
    assert_all_there(listed(data.parent))


def test_a_folder_of_labels_alone_can_be_translated(data: Path) -> None:
    found = listed(data / "keras_png_slices_seg_test")
    assert list(found) == ["case_441"]
    assert found["case_441"].target is None
    assert found["case_441"].split == "test"
    assert found["case_441"].source.read().voxels.max() == 3


def test_a_folder_of_mri_alone_makes_them_the_source(data: Path) -> None:
    """Which is how the direction is chosen."""
    subject = listed(data / "keras_png_slices_train")["case_002"]
    assert subject.source.labels is None
    np.testing.assert_array_equal(subject.source.read().voxels[:, ::-1, 3].T, image(2, 3))


def test_the_direction_of_pairs_is_that_of_the_two_folders(data: Path) -> None:
    mri = data / "keras_png_slices_train"
    seg = data / "keras_png_slices_seg_train"
    for root, target in (
        (mri, seg),
        (mri, data),
        (seg, mri),
        (seg, data),
        (seg, zipped(data, data / "all.zip")),
    ):
        found = listed(root, target)
        assert list(found) == ["case_001", "case_002"]
        source, goal = found["case_001"].paired()
        assert (source.voxels.max() == 3) == (root is seg)
        assert (goal.voxels.max() == 3) != (root is seg)


def test_one_png_is_a_volume_of_one_slice(data: Path, tmp_path: Path) -> None:
    mri = data / "keras_png_slices_test" / "case_441_slice_7.nii.png"
    seg = data / "keras_png_slices_seg_test" / "seg_441_slice_7.nii.png"
    assert READER.recognises(mri)
    found = listed(seg, mri)
    source, target = found["seg_441_slice_7"].paired()
    assert source.voxels.shape == target.voxels.shape == (COLUMNS, ROWS, 1)
    np.testing.assert_array_equal(source.voxels[:, ::-1, 0].T, labels(441, 7))
    np.testing.assert_array_equal(target.voxels[:, ::-1, 0].T, image(441, 7))
    assert (
        listed(put(tmp_path / "MyScan.PNG", image(1, 1)))["MyScan"].source.read().voxels.shape[2]
        == 1
    )


def test_a_number_on_two_sides_is_two_subjects(data: Path) -> None:
    put(data / "keras_png_slices_test" / "case_001_slice_0.nii.png", image(9, 0))
    put(data / "keras_png_slices_seg_test" / "seg_001_slice_0.nii.png", labels(9, 0))
    found = listed(data)
    assert {"train_case_001", "test_case_001"} < set(found)
    assert found["test_case_001"].source.read().voxels.shape[2] == 1


def test_nobody_else_claims_the_slices(data: Path) -> None:
    others = [one for one in oasis_gan_oasis.oasis_gan_datasets() if one.name != "oasis-png"]
    for path in (data, zipped(data, data.parent / "all.zip"), next(data.rglob("*.png"))):
        assert READER.recognises(path)
        for other in (*others, *oasis_gan_nifti.oasis_gan_datasets()):
            assert not other.recognises(path)


@pytest.mark.parametrize("name", ["picture.png", "case_1.png", "case_x_slice_0.png", "notes.txt"])
def test_other_folders_and_zips_are_not_claimed(tmp_path: Path, name: str) -> None:
    put(tmp_path / "in" / name, image(1, 1))
    for root in (tmp_path / "in", zipped(tmp_path / "in", tmp_path / "in.zip")):
        assert not READER.recognises(root)
        assert "found none" in refusal(lambda root=root: listed(root))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda root: Selection(root, source_suffix="_seg.png"), "`source_suffix`"),
        (lambda root: Selection(root, target_suffix="_seg.png"), "`target_suffix`"),
    ],
)
def test_suffixes_are_refused_and_not_ignored(
    data: Path, asked: Callable[[Path], Selection], said: str
) -> None:
    assert said in refusal(lambda: list(READER.open(asked(data))))


# Where a volume lies


def test_the_place_of_a_volume_is_assumed_and_said(data: Path) -> None:
    """Columns run to the right, rows from the top run to the back, slices upwards."""
    volume = listed(data)["case_001"].source.read()
    assert volume.geometry.orientation == "RAS"
    np.testing.assert_array_equal(volume.geometry.affine, np.eye(4))
    (note,) = volume.notes
    assert isinstance(note, AssumptionNote)
    assert "1 x 1 x 1 mm" in note
    assert volume.voxels[0, ROWS - 1, 4] == labels(1, 4)[0, 0]


def test_the_spacing_may_be_given(data: Path) -> None:
    volume = listed(data, spacing=(1.0, 1.5, 4.0))["case_001"].source.read()
    assert volume.geometry.spacing == (1.0, 1.5, 4.0)
    assert "1 x 1.5 x 4 mm" in volume.notes[0]


def test_a_missing_slice_is_a_gap_that_is_named(data: Path) -> None:
    """And what lies above it stays where it is."""
    for number in (0, 10, 11):
        (data / "keras_png_slices_train" / f"case_001_slice_{number}.nii.png").unlink()
    source, target = listed(data)["case_001"].paired()
    assert source.voxels.shape == target.voxels.shape
    assert "slice 0, 10, 11 of 0 to 11 missing, left empty" in target.notes
    assert not target.voxels[..., [0, 10, 11]].any()
    np.testing.assert_array_equal(target.voxels[:, ::-1, 9].T, image(1, 9))
    assert len(source.notes) == 1


# What is in them


@pytest.mark.parametrize("coding", STEPS)
def test_labels_in_any_coding_are_the_labels_of_oasis(tmp_path: Path, coding: str) -> None:
    dtype, step = STEPS[coding]
    for number in range(3):
        pixels = (labels(1, number).astype(dtype) * step).astype(dtype)
        put(tmp_path / f"seg_1_slice_{number}.png", pixels)
    voxels = listed(tmp_path)["case_001"].source.read().voxels
    np.testing.assert_array_equal(voxels[:, ::-1, 2].T, labels(1, 2))


@pytest.mark.parametrize(
    "values", [(0, 1, 85), (0, 4), (0, 84, 170), (0, 128, 255), tuple(range(40))]
)
def test_other_values_are_no_labels(tmp_path: Path, values: tuple[int, ...]) -> None:
    put(tmp_path / "seg_017_slice_0.png", np.resize(np.array(values, np.uint8), (ROWS, COLUMNS)))
    said = refusal(listed(tmp_path)["case_017"].source.read)
    assert "case_017" in said
    assert f"found {', '.join(map(str, values[:8]))}" in said


def test_16_bits_stay_16_bits(tmp_path: Path) -> None:
    pixels = np.arange(ROWS * COLUMNS, dtype=np.uint16).reshape(ROWS, COLUMNS) * 390
    put(tmp_path / "case_1_slice_0.png", pixels)
    voxels = listed(tmp_path)["case_001"].source.read().voxels
    assert voxels.dtype == np.uint16
    np.testing.assert_array_equal(voxels[:, ::-1, 0].T, pixels)


@pytest.mark.parametrize(
    "odd", [np.zeros((ROWS, COLUMNS + 1), np.uint8), np.zeros((ROWS, COLUMNS), np.uint16)]
)
def test_slices_that_differ_are_refused_by_case(data: Path, odd: Pixels) -> None:
    put(data / "keras_png_slices_seg_train" / "seg_002_slice_5.nii.png", odd)
    found = listed(data)
    said = refusal(found["case_002"].source.read)
    assert "case_002: expected 12 x 14 pixels of 8 bits as in slice 0" in said
    assert "in slice 5" in said
    found["case_001"].source.read()


def test_two_files_for_a_slice_are_refused(data: Path) -> None:
    put(data / "keras_png_slices_seg_train" / "seg_1_slice_03.png", labels(7, 7))
    said = refusal(listed(data)["case_001"].source.read)
    assert "seg_001_slice_3.nii.png" in said
    assert "seg_1_slice_03.png" in said


def test_a_case_without_its_mate_is_refused_and_the_others_are_not(data: Path) -> None:
    for path in data.rglob("seg_001_*"):
        path.unlink()
    for path in data.rglob("case_002_*"):
        path.unlink()
    found = listed(data)
    assert "case_001: expected slices of its label map, found none" in refusal(
        found["case_001"].source.read
    )
    assert found["case_002"].source.read().voxels.any()
    assert "case_002: expected slices of its MRI, found none" in refusal(found["case_002"].paired)
    found["case_402"].paired()


def test_a_slice_number_beyond_all_heads_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    put(tmp_path / "seg_1_slice_0.png", labels(1, 0))
    put(tmp_path / "seg_1_slice_999999999.png", labels(1, 1))
    assert "found slice number 999999999" in refusal(listed(tmp_path)["case_001"].source.read)


def test_a_volume_of_too_many_voxels_is_refused(data: Path) -> None:
    limit = ROWS * COLUMNS * 12
    assert listed(data, max_voxels=limit)["case_001"].source.read().voxels.any()
    said = refusal(listed(data, max_voxels=limit - 1)["case_001"].source.read)
    assert "seg_001_slice_0.nii.png" in said
    assert "`max_voxels`" in said


# Hostile pictures


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def header(width: int = COLUMNS, height: int = ROWS, depth: int = 8, colour: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def body(rows: int = ROWS, bytes_: int = COLUMNS) -> bytes:
    return chunk(
        b"IDAT", zlib.compress(b"".join(b"\0" + bytes([row] * bytes_) for row in range(rows)))
    )


END = chunk(b"IEND", b"")
GREY = image(1, 0)
SPLIT = len(PNG) + len(header())
BOMB = zlib.compress(bytes(2**27), 1)
TEXT_BOMB = chunk(b"zTXt", b"Comment\0\0" + BOMB)
PROFILE_BOMB = chunk(b"iCCP", b"icc\0\0" + BOMB)
EXIF = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


def inserted(extra: bytes) -> bytes:
    whole = as_png(GREY)
    return whole[:SPLIT] + extra + whole[SPLIT:]


def read(path: Path, data: bytes) -> Volume:
    (subject,) = listed(put(path / "a.png", data)).values()
    return subject.source.read()


def stacked(*channels: Pixels | int) -> Pixels:
    return np.stack([np.broadcast_to(np.uint8(one), GREY.shape) for one in channels], axis=-1)


@pytest.mark.parametrize(
    ("data", "repaired", "doubted"),
    [
        (as_png(GREY), (), ()),
        (as_png(GREY, compress_level=0), (), ()),
        (as_png(stacked(GREY, GREY, GREY)), ("equal colour channels",), ()),
        (as_png(stacked(GREY, 255)), ("opaque alpha",), ()),
        (as_png(stacked(GREY, GREY, GREY, 255)), ("opaque alpha", "equal colour channels"), ()),
        (
            as_png(stacked(GREY, GREY, GREY, 128)),
            ("equal colour channels",),
            ("transparency of 168 pixels",),
        ),
        (as_png(GREY, transparency=7), (), ("transparency ignored",)),
        (inserted(chunk(b"eXIf", EXIF)), (), ("EXIF",)),
        (inserted(chunk(b"eXIf", EXIF[:16])), (), ()),
        (as_png(GREY) + b"more", (), ("bytes after its end",)),
        (inserted(TEXT_BOMB), (), ()),
        (inserted(PROFILE_BOMB), (), ()),
        (inserted(chunk(b"acTL", bytes(8))), (), ("animated",)),
    ],
)
def test_what_is_grey_in_the_end_is_read_and_what_was_done_is_said(
    tmp_path: Path, data: bytes, repaired: tuple[str, ...], doubted: tuple[str, ...]
) -> None:
    tracemalloc.start()
    volume = read(tmp_path, data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(volume.voxels[:, ::-1, 0].T, GREY)
    assert peak < 2**23  # two of the files unpack to 128 MiB
    notes = volume.notes[1:]
    for wanted, found in (
        (repaired, [note for note in notes if isinstance(note, RepairNote)]),
        (doubted, [note for note in notes if not isinstance(note, RepairNote)]),
    ):
        assert len(found) == len(wanted)
        assert all(words in note for words, note in zip(wanted, found, strict=True))


def test_an_animation_is_its_still_picture(tmp_path: Path) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(image(2, 2))]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    volume = read(tmp_path, (tmp_path / "moving.png").read_bytes())
    np.testing.assert_array_equal(volume.voxels[:, ::-1, 0].T, GREY)
    assert "animated" in volume.notes[1]


def test_a_palette_of_greys_is_looked_up(tmp_path: Path) -> None:
    """The numbers in the file are places in the palette, and not greys."""
    picture = Image.fromarray(labels(1, 0), "L").convert("P")
    picture.putpalette([value for grey in (0, 85, 170, 255) for value in (grey, grey, grey)])
    file = io.BytesIO()
    picture.save(file, "PNG")
    (subject,) = listed(put(tmp_path / "seg_1_slice_0.png", file.getvalue())).values()
    volume = subject.source.read()
    np.testing.assert_array_equal(volume.voxels[:, ::-1, 0].T, labels(1, 0))
    assert isinstance(volume.notes[1], RepairNote)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_are_scaled_to_eight(tmp_path: Path, depth: int) -> None:
    data = PNG + header(8, 1, depth) + chunk(b"IDAT", zlib.compress(b"\0" + b"\xff" * depth)) + END
    assert (read(tmp_path, data).voxels == 255).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 9), (16, 16), (13, 5)])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_an_interlaced_picture_is_read_if_it_is_whole(
    tmp_path: Path, width: int, height: int, depth: int
) -> None:
    """Adam7 by hand: Pillow does not write it. White rows, each after the number of its filter."""
    rows = b""
    for x, y, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        across = len(range(x, width, dx))
        down = len(range(y, height, dy))
        rows += (b"\0" + b"\xff" * -(-across * depth // 8)) * down if across else b""
    start = PNG + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 1))
    whole = start + chunk(b"IDAT", zlib.compress(rows)) + END
    assert (read(tmp_path, whole).voxels == (2**16 - 1 if depth == 16 else 255)).all()
    assert "lacks 1 bytes" in refusal(
        lambda: read(tmp_path, start + chunk(b"IDAT", zlib.compress(rows[:-1])) + END)
    )


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray(stacked(GREY, GREY, GREY, GREY), "CMYK").save(file, "JPEG")
    return file.getvalue()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def colour_palette() -> bytes:
    picture = Image.fromarray(labels(1, 0), "L").convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "another format"),
        (jpeg(), "a JPEG picture"),
        (PNG, "breaks off"),
        (as_png(GREY)[: len(as_png(GREY)) // 2], "breaks off"),
        (as_png(GREY)[:-12], "breaks off"),
        (flipped(as_png(GREY), SPLIT + 20), "wrong checksum"),
        (PNG + body() + END, "one header"),
        (PNG + header() + header(60_000, 60_000) + body() + END, "one header"),
        (PNG + header() + END, "lacks 182 bytes"),
        (PNG + header() + body(ROWS - 1) + END, "lacks 13 bytes"),
        (PNG + header() + chunk(b"IDAT", b"rubbish") + END, "damaged"),
        (PNG + header() + chunk(b"CgBI", b"1234") + body() + END, "dialect"),
        (PNG + header(60_000, 60_000) + body() + END, "60000 x 60000"),
        (PNG + header(2**31 - 1, 1) + body() + END, "2147483647 x 1"),
        (PNG + header(0, ROWS) + body() + END, "0 x 14"),
        (PNG + header(depth=7) + body() + END, "7 bits"),
        (PNG + header(colour=5) + body() + END, "colour type 5"),
        (PNG + header(depth=16, colour=2) + body(bytes_=6 * COLUMNS) + END, "16 bits"),
        (PNG + header(colour=3) + body() + END, "palette of 0"),
        (PNG + header(colour=3) + chunk(b"PLTE", bytes(9)) + body() + END, "palette of 3"),
        (as_png(stacked(GREY, GREY, 255 - GREY)), "found colours"),
        (colour_palette(), "found colours"),
    ],
)
def test_what_is_no_grey_picture_is_refused_in_a_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    tracemalloc.start()
    line = refusal(lambda: read(tmp_path, data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert line.startswith(f"{tmp_path / 'a.png'}: expected ")
    assert said in line
    assert peak < 2**23


@given(st.data())
def test_a_damaged_picture_is_refused_or_unchanged(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Bits flipped, bytes cut or put in: no pixel is ever another one."""
    whole = as_png(GREY)
    at = data.draw(st.integers(0, len(whole) - 1))
    more = data.draw(st.binary(max_size=20))
    changed = data.draw(
        st.sampled_from([flipped(whole, at), whole[:at], whole[:at] + more + whole[at:]])
    )
    try:
        volume = read(tmp_path_factory.getbasetemp(), changed)
    except OasisGanError as error:
        assert str(error).isprintable()
    else:
        np.testing.assert_array_equal(volume.voxels[:, ::-1, 0].T, GREY)


def test_a_file_of_any_size_is_read_up_to_a_limit(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.write(as_png(GREY))
        file.truncate(2**36)
    (subject,) = listed(tmp_path / "a.png").values()
    assert f"at most {2**26} bytes" in refusal(subject.source.read)


def test_a_pipe_a_device_and_a_folder_are_no_pictures(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "case_1_slice_0.png")
    (tmp_path / "case_2_slice_0.png").symlink_to("/dev/zero")
    (tmp_path / "case_3_slice_0.png").mkdir()
    for subject in listed(tmp_path).values():
        assert "no regular file" in refusal(subject.source.read)
    assert list(listed(tmp_path)) == ["case_001", "case_002"]


def test_a_loop_of_links_ends(data: Path) -> None:
    (data / "again").symlink_to(data)
    assert_all_there(listed(data))


# Hostile zips


def test_a_zip_whose_members_lead_out_of_it_is_refused(tmp_path: Path) -> None:
    for name in (
        "../seg_1_slice_0.png",
        "a/../../seg_1_slice_0.png",
        "/seg_1_slice_0.png",
        "..\\seg_1_slice_0.png",
    ):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("seg_1_slice_0.png", as_png(labels(1, 0)))
            archive.writestr(name, b"")
        assert READER.recognises(tmp_path / "a.zip")  # so that it is named, and not passed over
        assert "stay in the zip" in refusal(lambda: listed(tmp_path / "a.zip"))


def test_a_damaged_member_spoils_its_case_only(data: Path) -> None:
    path = zipped(data, data / "all.zip", zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(
            "keras_png_slices_data/keras_png_slices_seg_train/seg_001_slice_4.nii.png"
        )
    content[info.header_offset + 30 + len(info.filename) + 60] ^= 1
    path.write_bytes(content)
    found = listed(path)
    assert "seg_001_slice_4.nii.png: expected a whole member" in refusal(
        found["case_001"].source.read
    )
    found["case_002"].paired()


@pytest.mark.parametrize(("flag", "method"), [(1, 0), (0, 99)])
def test_an_encrypted_or_strangely_packed_member_is_named(
    tmp_path: Path, flag: int, method: int
) -> None:
    path = zipped(
        put(tmp_path / "in" / "seg_1_slice_0.png", labels(1, 0)).parent, tmp_path / "a.zip", 0
    )
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    struct.pack_into("<HH", content, directory + 8, flag, method)
    path.write_bytes(content)
    said = refusal(listed(path)["case_001"].source.read)
    assert f"{path}/in/seg_1_slice_0.png: expected a plain or deflated member" in said


def test_a_bomb_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("seg_1_slice_0.png", bytes(2**26 + 1))
        archive.writestr("seg_2_slice_0.png", as_png(labels(2, 0)))
    tracemalloc.start()
    found = listed(tmp_path / "a.zip")
    assert f"expected at most {2**26} bytes" in refusal(found["case_001"].source.read)
    found["case_002"].source.read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**23


def test_a_directory_that_claims_to_be_huge_is_not_read(data: Path) -> None:
    path = zipped(data, data / "all.zip")
    with path.open("r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.write(struct.pack("<I", 2**31))
    assert "damaged or incomplete" in refusal(lambda: listed(path))
    assert READER.recognises(path)


@given(st.data())
def test_a_damaged_zip_is_refused_or_reads_as_before(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "zipped"
    pixels = {number: labels(1, number) for number in range(2)}
    for number, one in pixels.items():
        put(folder / f"seg_1_slice_{number}.png", one)
    path = zipped(folder, folder.with_suffix(".zip"))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(data.draw(st.sampled_from([flipped(whole, at), whole[:at]])))
    try:
        voxels = [subject.source.read().voxels for subject in listed(path).values()]
    except (OasisGanError, OSError) as error:
        assert str(error).isprintable()
    else:
        # A name may have changed: then a slice is missing, or in another place, and not another one.
        known = {one[::-1].T.tobytes() for one in (*pixels.values(), np.zeros_like(GREY))}
        assert all(
            one[..., number].tobytes() in known for one in voxels for number in range(one.shape[2])
        )


# Contracts


class TestFolder(DatasetContract):
    """The reader, given the folder."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return READER

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(make(tmp_path / "in" / "keras_png_slices_data", slices=3))


class TestPairs(TestFolder):
    """The reader, asked for pairs by two folders."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        root = make(tmp_path / "in" / "keras_png_slices_data", slices=3)
        return Selection(root / "keras_png_slices_seg_train", root / "keras_png_slices_train")


class TestZip(TestFolder):
    """The reader, given the zip."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(zipped(make(tmp_path / "in", slices=3), tmp_path / "all.zip"))


class TestPng(TestFolder):
    """The reader, given a slice."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(put(tmp_path / "slice.png", GREY))


class TestWriter(ExporterContract):
    """The writer of slices."""

    @pytest.fixture
    def exporter(self) -> Exporter:
        return WRITER


# Writing


def written(path: Path, voxels: Pixels, affine: Pixels | None = None) -> Volume:
    """Write voxels and return what the reader makes of them."""
    geometry = Geometry(
        (voxels.shape[0], voxels.shape[1], voxels.shape[2]), np.eye(4) if affine is None else affine
    )
    WRITER.write(Volume(voxels, geometry), path)
    (subject,) = listed(path).values()
    return subject.source.read()


def test_what_was_read_is_written_as_it_was(data: Path, tmp_path: Path) -> None:
    subject = listed(data)["case_001"]
    for name, scan in (("case_001", subject.source), ("seg_001", subject.target)):
        assert scan is not None
        WRITER.write(scan.read(), tmp_path / f"{name}_again.zip")
    with (
        zipfile.ZipFile(tmp_path / "case_001_again.zip") as seg,
        zipfile.ZipFile(tmp_path / "seg_001_again.zip") as mri,
    ):
        for number in range(12):
            one = Image.open(
                io.BytesIO(seg.read(f"seg_001_slice_{number}.nii.png")), formats=["PNG"]
            )
            other = Image.open(
                io.BytesIO(mri.read(f"case_001_slice_{number}.nii.png")), formats=["PNG"]
            )
            np.testing.assert_array_equal(np.asarray(one), labels(1, number) * np.uint8(85))
            np.testing.assert_array_equal(np.asarray(other), image(1, number))


@pytest.mark.parametrize("low", [0.0, -300.0])
def test_greys_come_back_but_for_the_rounding(tmp_path: Path, low: float) -> None:
    voxels = np.random.default_rng(0).uniform(low, 900, (5, 6, 4)).astype(np.float32)
    voxels[0] = 0
    again = written(tmp_path / "sub-01_synthT1w.zip", voxels)
    with zipfile.ZipFile(tmp_path / "sub-01_synthT1w.zip") as archive:
        said = json.loads(archive.read("case_001.json"))
    assert said["white"] == voxels.max()
    width = said["white"] - said["black"]
    np.testing.assert_allclose(
        again.voxels / 255 * width + said["black"], voxels, atol=width / 255 / 2 + 1e-3
    )
    assert (said["black"] == 0) == (low == 0)


def test_whole_values_up_to_white_are_kept(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 200, (5, 6, 4)).astype(np.float32)
    np.testing.assert_array_equal(written(tmp_path / "a.zip", voxels).voxels, voxels)


@pytest.mark.parametrize("value", [0, 2, 77, 0.5, -4])
def test_a_volume_of_one_value_can_be_written(tmp_path: Path, value: float) -> None:
    assert written(tmp_path / "a.zip", np.full((5, 6, 4), value)).voxels.shape == (5, 6, 4)


def test_slices_are_axial_however_the_volume_lies(tmp_path: Path) -> None:
    """Stored the other way round they are the same pictures, and the affine beside them says where they lie."""
    voxels = np.random.default_rng(0).integers(0, 200, (5, 6, 4))
    affine = np.array([[2.0, 0, 0, -9], [0, 3, 0, 5], [0, 0, 4, 7], [0, 0, 0, 1]])
    turned = nib.as_closest_canonical(nib.Nifti1Image(voxels.astype(np.int16), affine))
    other = turned.as_reoriented(np.array([[2, -1], [0, 1], [1, -1]]))
    again = written(tmp_path / "case_7_a.zip", np.asarray(other.dataobj), np.asarray(other.affine))
    np.testing.assert_array_equal(again.voxels, voxels)
    with zipfile.ZipFile(tmp_path / "case_7_a.zip") as archive:
        np.testing.assert_allclose(json.loads(archive.read("case_7.json"))["affine"], affine)


def test_what_is_not_finite_is_not_written(tmp_path: Path) -> None:
    volume = Volume(np.full((2, 2, 2), np.nan), Geometry((2, 2, 2), np.eye(4)))
    assert "NaN or Inf" in refusal(lambda: WRITER.write(volume, tmp_path / "a.zip"))
    assert not list(tmp_path.iterdir())


# From end to end


def test_a_zip_called_after_the_label_map_it_was_made_from_holds_what_its_slices_are_called(
    tmp_path: Path,
) -> None:
    grey = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS)
    path = tmp_path / "sub-01_seg_synthT1w.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("case_001_slice_0.nii.png", as_png(grey))
    assert listed(path)["case_001"].source.read().voxels.max() == grey.max()


def test_trained_on_the_folder_it_translates_the_zip_and_a_slice(
    data: Path, tmp_path: Path
) -> None:
    itk = pytest.importorskip("SimpleITK")
    (tmp_path / "tiny.toml").write_text(
        "steps = 2\nsize = 16\ncontrast = 'robust'\nplanes = ['axial']\n[generator]\nlevels = 2\n"
        "filters = 4\n[discriminator]\nreceptive_field = 16\n"
    )
    process = oasis_gan(
        "train", data, "--spacing", "2,2,2", "--recipe", "tiny.toml", "--out", "m", cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    path = zipped(data, tmp_path / "all.zip")
    seg = data / "keras_png_slices_seg_test" / "seg_441_slice_7.nii.png"
    process = oasis_gan(
        "run", path, seg, "--model", "m", "--out", "out", "--spacing", "1,1,4", cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    names = ["case_001", "case_002", "case_402", "case_441", "seg_441_slice_7"]
    assert process.stdout.split() == [f"out/{name}_synthimage.nii.gz" for name in names]
    for line in process.stdout.split():
        assert is_nifti_name(Path(line))
        picture = itk.ReadImage(str(tmp_path / line))
        assert picture.GetSpacing() == (1, 1, 4)
        assert picture.GetSize() == (COLUMNS, ROWS, 1 if "slice" in line else 12)
    made = itk.GetArrayFromImage(itk.ReadImage(str(tmp_path / "out/case_001_synthimage.nii.gz")))
    for number in range(12):
        assert not made[number, ::-1][labels(1, number) == 0].any()
    record = json.loads((tmp_path / "out/seg_441_slice_7_synthimage.json").read_text())
    assert "assumed" in record["notes"][0]


def test_slices_become_slices(data: Path, tmp_path: Path, paint: Painting) -> None:
    """By a model that needs no training, from folder to zip."""
    seg = data / "keras_png_slices_seg_test"
    process = paint(seg, "--exporter", "oasis-png")
    assert process.stdout.split() == ["out/case_441_synthT1w.zip"], process.stderr
    voxels = listed(tmp_path / "out/case_441_synthT1w.zip")["case_441"].source.read().voxels
    np.testing.assert_array_equal(
        voxels[:, ::-1, 5].T, np.array([0, 102, 187, 255])[labels(441, 5)]
    )
    record = json.loads((tmp_path / "out/case_441_synthT1w.json").read_text())
    assert len(record["source"]["parts"]) == 11
    put(seg / "seg_441_slice_8.nii.png", labels(7, 7) * np.uint8(85))
    process = paint(seg, "--exporter", "oasis-png")
    assert "one with another source" in process.stderr
