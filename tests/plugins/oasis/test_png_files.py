"""A PNG file becomes a grey picture, or a line that says why not."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.png_slices import (
    COLUMNS,
    GREY,
    ROWS,
    Pixels,
    encode_png,
    flip_bit,
    image_slice,
    label_slice,
    list_subjects,
    refusal,
    save_png,
)
from PIL import Image

from oasis_gan import (
    OasisGanError,
    RepairNote,
    Volume,
)

PNG = b"\x89PNG\r\n\x1a\n"


def make_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def make_header(width: int = COLUMNS, height: int = ROWS, depth: int = 8, colour: int = 0) -> bytes:
    return make_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def make_body(rows: int = ROWS, bytes_: int = COLUMNS) -> bytes:
    return make_chunk(
        b"IDAT", zlib.compress(b"".join(b"\0" + bytes([row] * bytes_) for row in range(rows)))
    )


END = make_chunk(b"IEND", b"")
SPLIT = len(PNG) + len(make_header())
BOMB = zlib.compress(bytes(2**27), 1)
TEXT_BOMB = make_chunk(b"zTXt", b"Comment\0\0" + BOMB)
PROFILE_BOMB = make_chunk(b"iCCP", b"icc\0\0" + BOMB)
EXIF = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


def insert_chunk(extra: bytes) -> bytes:
    whole = encode_png(GREY)
    return whole[:SPLIT] + extra + whole[SPLIT:]


def read_png(path: Path, data: bytes) -> Volume:
    (subject,) = list_subjects(save_png(path / "a.png", data)).values()
    return subject.source.read()


def stack_channels(*channels: Pixels | int) -> Pixels:
    return np.stack([np.broadcast_to(np.uint8(one), GREY.shape) for one in channels], axis=-1)


@pytest.mark.parametrize(
    ("data", "repaired", "doubted"),
    [
        (encode_png(GREY), (), ()),
        (encode_png(GREY, compress_level=0), (), ()),
        (encode_png(stack_channels(GREY, GREY, GREY)), ("equal colour channels",), ()),
        (encode_png(stack_channels(GREY, 255)), ("opaque alpha",), ()),
        (
            encode_png(stack_channels(GREY, GREY, GREY, 255)),
            ("opaque alpha", "equal colour channels"),
            (),
        ),
        (
            encode_png(stack_channels(GREY, GREY, GREY, 128)),
            ("equal colour channels",),
            ("transparency of 168 pixels",),
        ),
        (encode_png(GREY, transparency=7), (), ("transparency ignored",)),
        (insert_chunk(make_chunk(b"eXIf", EXIF)), (), ("EXIF",)),
        (insert_chunk(make_chunk(b"eXIf", EXIF[:16])), (), ()),
        (encode_png(GREY) + b"more", (), ("bytes after its end",)),
        (insert_chunk(TEXT_BOMB), (), ()),
        (insert_chunk(PROFILE_BOMB), (), ()),
        (insert_chunk(make_chunk(b"acTL", bytes(8))), (), ("animated",)),
    ],
)
def test_pictures_that_amount_to_grey_are_read_with_notes(
    tmp_path: Path, data: bytes, repaired: tuple[str, ...], doubted: tuple[str, ...]
) -> None:
    tracemalloc.start()
    volume = read_png(tmp_path, data)
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


def test_an_animation_is_read_as_its_still_picture(tmp_path: Path) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(image_slice(2, 2))]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    volume = read_png(tmp_path, (tmp_path / "moving.png").read_bytes())
    np.testing.assert_array_equal(volume.voxels[:, ::-1, 0].T, GREY)
    assert "animated" in volume.notes[1]


def test_a_palette_of_greys_is_looked_up(tmp_path: Path) -> None:
    """The numbers in the file are places in the palette, and not greys."""
    picture = Image.fromarray(label_slice(1, 0), "L").convert("P")
    picture.putpalette([value for grey in (0, 85, 170, 255) for value in (grey, grey, grey)])
    file = io.BytesIO()
    picture.save(file, "PNG")
    (subject,) = list_subjects(save_png(tmp_path / "seg_1_slice_0.png", file.getvalue())).values()
    volume = subject.source.read()
    np.testing.assert_array_equal(volume.voxels[:, ::-1, 0].T, label_slice(1, 0))
    assert isinstance(volume.notes[1], RepairNote)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_are_scaled_to_eight(tmp_path: Path, depth: int) -> None:
    data = (
        PNG
        + make_header(8, 1, depth)
        + make_chunk(b"IDAT", zlib.compress(b"\0" + b"\xff" * depth))
        + END
    )
    assert (read_png(tmp_path, data).voxels == 255).all()


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
    start = PNG + make_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 1))
    whole = start + make_chunk(b"IDAT", zlib.compress(rows)) + END
    assert (read_png(tmp_path, whole).voxels == (2**16 - 1 if depth == 16 else 255)).all()
    assert "lacks 1 bytes" in refusal(
        lambda: read_png(tmp_path, start + make_chunk(b"IDAT", zlib.compress(rows[:-1])) + END)
    )


def make_jpeg() -> bytes:
    file = io.BytesIO()
    Image.fromarray(stack_channels(GREY, GREY, GREY, GREY), "CMYK").save(file, "JPEG")
    return file.getvalue()


def make_colour_palette() -> bytes:
    picture = Image.fromarray(label_slice(1, 0), "L").convert("P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "another format"),
        (make_jpeg(), "a JPEG picture"),
        (PNG, "breaks off"),
        (encode_png(GREY)[: len(encode_png(GREY)) // 2], "breaks off"),
        (encode_png(GREY)[:-12], "breaks off"),
        (flip_bit(encode_png(GREY), SPLIT + 20), "wrong checksum"),
        (PNG + make_body() + END, "one header"),
        (PNG + make_header() + make_header(60_000, 60_000) + make_body() + END, "one header"),
        (PNG + make_header() + END, "lacks 182 bytes"),
        (PNG + make_header() + make_body(ROWS - 1) + END, "lacks 13 bytes"),
        (PNG + make_header() + make_chunk(b"IDAT", b"rubbish") + END, "damaged"),
        (
            PNG + make_header() + make_chunk(b"CgBI", b"1234") + make_body() + END,
            "not in the standard",
        ),
        (PNG + make_header(60_000, 60_000) + make_body() + END, "60000 x 60000"),
        (PNG + make_header(2**31 - 1, 1) + make_body() + END, "2147483647 x 1"),
        (PNG + make_header(0, ROWS) + make_body() + END, "0 x 14"),
        (PNG + make_header(depth=7) + make_body() + END, "7 bits"),
        (PNG + make_header(colour=5) + make_body() + END, "colour type 5"),
        (PNG + make_header(depth=16, colour=2) + make_body(bytes_=6 * COLUMNS) + END, "16 bits"),
        (PNG + make_header(colour=3) + make_body() + END, "palette of 0"),
        (
            PNG + make_header(colour=3) + make_chunk(b"PLTE", bytes(9)) + make_body() + END,
            "palette of 3",
        ),
        (encode_png(stack_channels(GREY, GREY, 255 - GREY)), "found colours"),
        (make_colour_palette(), "found colours"),
    ],
)
def test_a_picture_that_is_not_grey_is_refused_in_one_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    tracemalloc.start()
    line = refusal(lambda: read_png(tmp_path, data))
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
    whole = encode_png(GREY)
    at = data.draw(st.integers(0, len(whole) - 1))
    more = data.draw(st.binary(max_size=20))
    changed = data.draw(
        st.sampled_from([flip_bit(whole, at), whole[:at], whole[:at] + more + whole[at:]])
    )
    try:
        volume = read_png(tmp_path_factory.getbasetemp(), changed)
    except OasisGanError as error:
        assert str(error).isprintable()
    else:
        np.testing.assert_array_equal(volume.voxels[:, ::-1, 0].T, GREY)


def test_a_file_of_any_size_is_read_up_to_a_limit(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.write(encode_png(GREY))
        file.truncate(2**36)
    (subject,) = list_subjects(tmp_path / "a.png").values()
    assert f"at most {2**26} bytes" in refusal(subject.source.read)


def test_a_pipe_a_device_and_a_folder_are_no_pictures(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "case_1_slice_0.png")
    (tmp_path / "case_2_slice_0.png").symlink_to("/dev/zero")
    (tmp_path / "case_3_slice_0.png").mkdir()
    for subject in list_subjects(tmp_path).values():
        assert "no regular file" in refusal(subject.source.read)
    assert list(list_subjects(tmp_path)) == ["case_001", "case_002"]
