"""A zip of slices is read without being unpacked, and never trusted."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.png_slices import (
    GREY,
    READER,
    encode_png,
    flip_bit,
    label_slice,
    list_subjects,
    make_dataset,
    make_zip,
    refusal,
    save_png,
)

from oasis_gan import (
    OasisGanError,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of the slices, as it is distributed."""
    return make_dataset(tmp_path / "in" / "keras_png_slices_data")


def test_a_zip_whose_members_lead_out_of_it_is_refused(tmp_path: Path) -> None:
    for name in (
        "../seg_1_slice_0.png",
        "a/../../seg_1_slice_0.png",
        "/seg_1_slice_0.png",
        "..\\seg_1_slice_0.png",
    ):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("seg_1_slice_0.png", encode_png(label_slice(1, 0)))
            archive.writestr(name, b"")
        assert READER.recognises(tmp_path / "a.zip")  # so that it is named, and not passed over
        assert "stay in the zip" in refusal(lambda: list_subjects(tmp_path / "a.zip"))


def test_a_damaged_member_affects_its_own_subject_only(data: Path) -> None:
    path = make_zip(data, data / "all.zip", zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(
            "keras_png_slices_data/keras_png_slices_seg_train/seg_001_slice_4.nii.png"
        )
    content[info.header_offset + 30 + len(info.filename) + 60] ^= 1
    path.write_bytes(content)
    found = list_subjects(path)
    assert "seg_001_slice_4.nii.png: expected a whole member" in refusal(
        found["case_001"].source.read
    )
    found["case_002"].read_both()


@pytest.mark.parametrize(("flag", "method"), [(1, 0), (0, 99)])
def test_an_encrypted_or_strangely_packed_member_is_named(
    tmp_path: Path, flag: int, method: int
) -> None:
    path = make_zip(
        save_png(tmp_path / "in" / "seg_1_slice_0.png", label_slice(1, 0)).parent,
        tmp_path / "a.zip",
        0,
    )
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    struct.pack_into("<HH", content, directory + 8, flag, method)
    path.write_bytes(content)
    said = refusal(list_subjects(path)["case_001"].source.read)
    assert f"{path}/in/seg_1_slice_0.png: expected a plain or deflated member" in said


def test_a_bomb_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("seg_1_slice_0.png", bytes(2**26 + 1))
        archive.writestr("seg_2_slice_0.png", encode_png(label_slice(2, 0)))
    tracemalloc.start()
    found = list_subjects(tmp_path / "a.zip")
    assert f"expected at most {2**26} bytes" in refusal(found["case_001"].source.read)
    found["case_002"].source.read()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**23


def test_a_directory_that_claims_to_be_huge_is_not_read(data: Path) -> None:
    path = make_zip(data, data / "all.zip")
    with path.open("r+b") as file:
        file.seek(-10, os.SEEK_END)
        file.write(struct.pack("<I", 2**31))
    assert "damaged or incomplete" in refusal(lambda: list_subjects(path))
    assert READER.recognises(path)


@given(st.data())
def test_a_damaged_zip_is_refused_or_reads_as_before(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "zipped"
    pixels = {number: label_slice(1, number) for number in range(2)}
    for number, one in pixels.items():
        save_png(folder / f"seg_1_slice_{number}.png", one)
    path = make_zip(folder, folder.with_suffix(".zip"))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(data.draw(st.sampled_from([flip_bit(whole, at), whole[:at]])))
    try:
        voxels = [subject.source.read().voxels for subject in list_subjects(path).values()]
    except (OasisGanError, OSError) as error:
        assert str(error).isprintable()
    else:
        # A name may have changed: then a slice is missing or in another place, but not altered.
        known = {one[::-1].T.tobytes() for one in (*pixels.values(), np.zeros_like(GREY))}
        assert all(
            one[..., number].tobytes() in known for one in voxels for number in range(one.shape[2])
        )
