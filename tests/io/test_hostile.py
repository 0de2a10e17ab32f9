"""Hostile files are refused within limits of memory and time, and the others are translated."""

from __future__ import annotations

import gzip
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.tool import oasis_gan
from numpy.typing import NDArray

from oasis_gan import Geometry, OasisGanError, Volume
from oasis_gan.checks.quality_notes import with_quality_notes

SHAPE = (12, 14, 10)
LABELS = np.zeros(SHAPE, np.uint8)
LABELS[2:-2, 2:-2, 2:-2] = 2


def content(
    voxels: NDArray[Any] = LABELS, shape: tuple[int, ...] | None = None, **fields: object
) -> bytes:
    """Return a NIfTI file, of which the header may claim another shape."""
    image = nib.Nifti1Image(voxels, np.diag([-1.0, 1, 1, 1]))
    data = image.to_bytes()
    header = type(image.header)(data[:348], check=False)
    if shape:
        header["dim"][: len(shape) + 1] = len(shape), *shape
    for name, value in fields.items():
        header[name] = value
    return bytes(header.binaryblock) + data[348:]


def zeros(count: int) -> bytes:
    """Return zeros in a thousandth of their room."""
    chunk = 2**26
    return gzip.compress(bytes(chunk), 1, mtime=0) * (count // chunk)


NAMES = [
    "new\nline",
    "-rf",
    "<img src=x onerror=alert(1)>",
    "%s%n",
    "\udce9",
    "sub 01 (copy)",
    "=cmd|calc,A0",
    "n" * 248,
]
REFUSED = {
    "empty": b"",
    "bomb": gzip.compress(content(shape=(1024, 1024, 1024), datatype=64, bitpix=64)) + zeros(2**33),
    "tail": gzip.compress(content()) + zeros(2**33),
    "cut": gzip.compress(content())[:-9],
    "giant": content(shape=(32767, 32767, 32767)),
    "one": content(np.ones((1, 1, 1), np.uint8)),
    "line": content(np.ones((30, 1, 1), np.uint8)),
    "nan": content(np.full(SHAPE, np.nan, np.float32)),
    "half": content(LABELS + np.float32(0.5)),
    "complex": content(LABELS.astype(np.complex64)),
    "vectors": content(np.zeros((4, 5, 6, 1, 3), np.float32)),
    "gone": None,
    "pipe": None,
    "device": None,
    "loop": None,
    "folder": None,
}
if os.geteuid():  # root may read everything
    REFUSED["unreadable"] = content()


@pytest.fixture
def hostile(tmp_path: Path) -> list[str]:
    """Make hostile files, and a folder of good ones with hostile names; return the sources."""
    (tmp_path / "names").mkdir()
    for name in NAMES:
        (tmp_path / "names" / f"{name}.nii").write_bytes(content())
    for name, data in REFUSED.items():
        if data is not None:
            (tmp_path / f"{name}.nii").write_bytes(data)
    if "unreadable" in REFUSED:
        (tmp_path / "unreadable.nii").chmod(0)
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "device.nii").symlink_to("/dev/zero")
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    (tmp_path / "folder.nii").mkdir()
    (tmp_path / "names" / "loop").symlink_to(tmp_path)
    return [*(f"{name}.nii" for name in REFUSED), "names"]


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))


def test_a_batch_with_hostile_files_is_completed(
    tmp_path: Path, hostile: list[str], paint: Callable[..., Any]
) -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = paint(*hostile, preexec_fn=limit_memory, env=environment, errors="surrogateescape")
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    # Split at line ends alone: none of the names may bring another.
    lines = [
        line.split("\t")
        for line in (tmp_path / "out/subjects.tsv").read_text("utf-8").rstrip("\n").split("\n")
    ]
    status = {
        subject.removesuffix(".nii"): (status, message)
        for subject, status, _, message, *_ in lines[1:]
    }
    for name in REFUSED:
        assert status[name][0] == "failed", name
        assert f"{name}.nii" in status[name][1]
    for name in NAMES:
        shown = name.replace("\n", "\\n").replace("\udce9", "\\udce9")
        assert status[shown] == ("done", ""), name
    outputs = [path.name for path in (tmp_path / "out").iterdir() if path.name.endswith(".nii.gz")]
    assert len(outputs) == len(NAMES)
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.endswith(".part")]


def volume(voxels: NDArray[Any] = LABELS, spacing: float = 1.0, origin: float = 0.0) -> Volume:
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[0, 3] = origin
    return Volume(voxels, Geometry(voxels.shape, affine))


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (volume(np.zeros(SHAPE)), "nothing but background"),
        (volume(np.ones((60, 2, 2))), "only 60 x 2 x 2 voxels"),
        (volume(LABELS * 1e-42), "denormal"),
        (
            volume(np.where(np.arange(14)[:, np.newaxis] < 7, 1, 0) * np.ones(SHAPE)),
            "cut off along axis j",
        ),
        (volume(spacing=0.001), "is the unit right"),
        (volume(origin=100_000), "100 m from the middle"),
    ],
)
def test_what_is_odd_about_a_source_is_noted_when_it_is_translated(odd: Volume, said: str) -> None:
    (note,) = [note for note in with_quality_notes(odd, "x").notes if said in note]
    assert note.isprintable()


def test_nothing_is_noted_of_a_good_volume() -> None:
    assert with_quality_notes(volume(), "x").notes == ()


@pytest.mark.parametrize("shape", [(1, 1, 1), (30, 1, 1)])
def test_a_volume_that_cannot_be_sliced_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(OasisGanError, match="x: expected a volume to translate, found"):
        with_quality_notes(volume(np.ones(shape)), "x")


def test_a_head_cut_off_at_two_ends_is_reported_once() -> None:
    voxels = np.zeros((12, 14, 40), np.uint8)
    voxels[2:-2, 2:-2, 14:26] = 2
    notes = [note for note in with_quality_notes(volume(voxels), "x").notes if "cut off" in note]
    assert notes == ["cut off at both ends of axis k: 14 and 14 of 40 slices are empty"]


@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_a_recipe_that_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.nii").write_bytes(content())
    if kind == "pipe":
        os.mkfifo(tmp_path / "recipe.toml")
    else:
        (tmp_path / "recipe.toml").symlink_to("/dev/zero")
    process = oasis_gan("train", "a.nii", "--out", "m", "--recipe", "recipe.toml", cwd=tmp_path)
    assert process.returncode == 2
    assert "recipe.toml: expected a regular file" in process.stderr


def test_a_volume_that_fits_on_no_canvas_is_refused_before_memory_is_taken(
    tmp_path: Path, paint: Callable[..., Any]
) -> None:
    full = np.pad(1 + np.indices((38, 38, 38)).sum(axis=0) % 3, 1).astype(np.uint8)
    long = (1 + np.indices((30000, 8, 8)).sum(axis=0) % 3).astype(np.uint8)
    for name, voxels, mm in (
        ("a", full, 4),
        ("b", full, 100),
        ("c", full, 4),
        ("d", long, 1),
    ):
        nib.save(nib.Nifti1Image(voxels, np.diag([mm, mm, mm, 1.0])), tmp_path / f"{name}.nii")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = paint("a.nii", "b.nii", "c.nii", "d.nii", preexec_fn=limit_memory, env=environment)
    assert process.returncode == 1
    rows = (tmp_path / "out/subjects.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[1] for row in rows] == ["done", "failed", "done", "failed"]
    assert "b.nii: expected slices that fit into" in rows[1]
    assert "found 3800 x 3800 mm, 38 x 38 voxels; check the voxel size and correct it" in rows[1]
    assert "30000 x 8 voxels" in rows[3]
