"""Labels are stored as integers, intensities as asked for; what does not fit is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kit.tool import oasis_gan
from numpy.typing import NDArray

from oasis_gan import OASIS, Geometry, Label, LabelSet, OasisGanError, Volume, Window
from oasis_gan.pipeline.datatypes import choose_datatype, convert_datatype

# Two models in one file: one paints, the other returns the labels it is given.
PLUGIN = """
from dataclasses import replace
from pathlib import Path
import numpy as np
from oasis_gan import OASIS, Canvas, ModelCard, ModelKind, Plane, Window, hookimpl, slicewise

PAINT = ModelCard(
    name="paint",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 1000), (0, 1)),
    output="T1w",
)
SAME = replace(PAINT, name="same", target=OASIS, output="dseg")

def paint(slices, mask):
    return slices @ np.array([[0.3001], [0.5502], [0.7503]], np.float32)

def same(slices, mask):
    return slices

@hookimpl
def oasis_gan_models():
    for card, predict in ((PAINT, paint), (SAME, same)):
        canvas = Canvas(1.0, size=1, multiple=1)
        model = slicewise(predict, card, planes=tuple(Plane), canvas=canvas)
        yield ModelKind(
            name=card.name,
            summary="A model",
            card=lambda _, card=card: card,
            load=lambda _, model=model: model,
            shipped={card.name: Path()},
        )
"""
LABELS = np.random.default_rng(0).integers(0, 4, (5, 6, 7)).astype(np.uint8)


def volume(*values: float) -> Volume:
    voxels = np.array(values, np.float32).reshape(-1, 1, 1)
    return Volume(voxels, Geometry(voxels.shape, np.eye(4)), ("a note of the reader",))


def labels(*values: int) -> LabelSet:
    return LabelSet(name="mine", labels=tuple(Label(value, f"label {value}") for value in values))


@pytest.mark.parametrize(
    ("target", "wanted", "datatype"),
    [
        (Window((0, 1000), (0, 1)), None, "float32"),
        (Window((0, 1000), (0, 1)), "int16", "int16"),
        (OASIS, None, "uint8"),
        (OASIS, "float32", "float32"),
        (labels(1, 255), None, "uint8"),
        (labels(1, 256), None, "int16"),
        (labels(-1, 3), None, "int16"),
        (labels(12175, 40000), None, "int32"),
        (labels(2**40), None, "float32"),
    ],
)
def test_the_datatype_follows_the_output_unless_another_is_requested(
    target: Window | LabelSet, wanted: str | None, datatype: str
) -> None:
    assert choose_datatype(target, wanted) == datatype


@given(
    arrays(np.float32, (4, 3, 2), elements=st.floats(-1000, 1000, width=32)),
    st.sampled_from(["int16", "int32"]),
)
def test_intensities_become_the_nearest_whole_numbers_and_a_note_says_how_near(
    voxels: NDArray[np.float32], datatype: str
) -> None:
    voxels.flat[:2] = -100, 100
    stored = convert_datatype(Volume(voxels, Geometry((4, 3, 2), np.eye(4))), datatype, "a.nii")
    apart = np.abs(stored.voxels - voxels)
    assert stored.voxels.dtype == np.dtype(datatype)
    assert apart.max() <= 0.5
    assert not stored.voxels[voxels == 0].any()
    expected = (
        (f"voxels were rounded to {datatype}, by at most {apart.max():.2g}",) if apart.any() else ()
    )
    assert stored.notes == expected


def test_whole_numbers_are_stored_without_a_note() -> None:
    stored = convert_datatype(volume(0, 1, 2, 255), "uint8", "a.nii")
    assert stored.voxels.ravel().tolist() == [0, 1, 2, 255]
    assert stored.notes == ("a note of the reader",)


@pytest.mark.parametrize(
    ("values", "datatype", "said"),
    [
        (
            (0, 256),
            "uint8",
            "expected voxels from 0 to 255 for uint8, found 0 to 256; use `dtype` float32",
        ),
        ((-1, 9), "uint8", "found -1 to 9"),
        ((0, 32768), "int16", "expected voxels from -32768 to 32767 for int16, found 0 to 32768"),
        ((0, 0.4, 1), "uint8", "expected intensities that differ as whole numbers for uint8"),
        ((0, 0.5, 30), "int16", "found a range of 30, and a voxel 0.5 from the nearest"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    values: tuple[float, ...], datatype: str, said: str
) -> None:
    with pytest.raises(OasisGanError) as caught:
        convert_datatype(volume(*values), datatype, "a.nii")
    assert str(caught.value).startswith("a.nii: ")
    assert said in str(caught.value)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Translate a label map on a grid of 1 mm, as a user does."""
    (folder / "plugin.py").write_text(PLUGIN)
    nib.save(nib.Nifti1Image(LABELS, np.eye(4)), folder / "a.nii.gz")
    return oasis_gan("run", "a.nii.gz", "--out", "out", "--plugin", "plugin.py", *words, cwd=folder)


def opened(path: Path) -> NDArray[Any]:
    """Return the voxels of a NIfTI file, as stored."""
    return np.asarray(nib.Nifti1Image.from_filename(path).dataobj)


@pytest.mark.parametrize(
    ("exporter", "suffix", "datatype"),
    [
        ("nifti", ".nii.gz", "float32"),
        ("nifti-uncompressed", ".nii", "int16"),
        ("nifti", ".nii.gz", "uint8"),
    ],
)
def test_a_run_writes_the_format_and_datatype_asked_for(
    tmp_path: Path, exporter: str, suffix: str, datatype: str
) -> None:
    # A grey of 750 does not fit into 8 bits, labels do.
    model, name = ("same", "dseg") if datatype == "uint8" else ("paint", "T1w")
    done = run(tmp_path, "--model", model, "--exporter", exporter, "--dtype", datatype)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "out" / f"a_synth{name}{suffix}"
    assert path.read_bytes().startswith(b"\x1f\x8b") is suffix.endswith(".gz")
    voxels = opened(path)
    exact = LABELS if model == "same" else np.array([0, 300.1, 550.2, 750.3])[LABELS]
    assert voxels.dtype == np.dtype(datatype)
    np.testing.assert_allclose(
        voxels, np.rint(exact) if datatype != "float32" else exact, rtol=1e-6
    )
    record = json.loads((tmp_path / "out" / f"a_synth{name}.json").read_text())
    assert record["datatype"] == datatype
    rounded = ["voxels were rounded to int16, by at most 0.3"] if datatype == "int16" else []
    assert [note for note in record["notes"] if "rounded" in note] == rounded


def test_labels_are_written_as_the_smallest_integers(tmp_path: Path) -> None:
    assert run(tmp_path, "--model", "same").returncode == 0
    voxels = opened(tmp_path / "out" / "a_synthdseg.nii.gz")
    assert voxels.dtype == np.uint8
    assert np.array_equal(voxels, LABELS)


def test_intensities_that_do_not_fit_fail_their_subject_and_leave_no_file(tmp_path: Path) -> None:
    done = run(tmp_path, "--model", "paint", "--dtype", "uint8")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "expected voxels from 0 to 255 for uint8, found 0 to 750; use --dtype float32" in line
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["subjects.tsv"]


def test_an_output_of_another_datatype_is_not_taken_for_done(tmp_path: Path) -> None:
    assert run(tmp_path, "--model", "paint").returncode == 0
    done = run(tmp_path, "--model", "paint", "--dtype", "int16")
    assert done.returncode == 1
    assert "one with another datatype" in done.stderr
