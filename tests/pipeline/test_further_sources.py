"""Models of several sources: each subject's volumes are read, put on one grid, and recorded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from kit.painting import LoadedModel
from oasis_gan_nifti import write_nifti

from oasis_gan import (
    FREESURFER,
    OASIS,
    Canvas,
    Channels,
    Exporter,
    Mask,
    ModelCard,
    Percentiles,
    Plane,
    Scan,
    SlicewiseTranslator,
    Subject,
    Window,
    slicewise,
    volume_scan,
)
from oasis_gan.image.encoding import Encoding
from oasis_gan.pipeline.cohort import translate_all
from oasis_gan.pipeline.job import Job
from oasis_gan.pipeline.ledger import Outcome, Status
from oasis_gan.pipeline.places import Layout

SHAPE = (8, 9, 7)
GREYS = np.random.default_rng(0).uniform(50, 100, SHAPE).astype(np.float32)
NIFTI = Exporter(name="nifti", summary="NIfTI", suffix=".nii.gz", write=write_nifti)


def last_channels(slices: Channels, mask: Mask) -> Channels:
    """Return what the last channel of the last source is."""
    return slices[..., -1:]


def model(second: Encoding, name: str = "t2") -> SlicewiseTranslator:
    """Return a model of a T1w and a second source, which it shows."""
    card = ModelCard(
        name="second",
        version="1",
        sources={"t1": Percentiles(), name: second},
        target=Window((0, 1000), (0, 1)),
        output="FLAIR",
    )
    return slicewise(
        last_channels, card, planes=[Plane.AXIAL], canvas=Canvas(1.0, size=1, multiple=1)
    )


def save(path: Path, voxels: np.ndarray, affine: np.ndarray | None = None) -> Scan:
    """Write a NIfTI file, and return its scan."""
    nib.save(nib.Nifti1Image(voxels, np.eye(4) if affine is None else affine), path)
    return volume_scan(path)


def translate(
    folder: Path, *subjects: Subject, translator: SlicewiseTranslator | None = None
) -> list[Outcome]:
    """Translate subjects into a folder ``out``."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    translator = translator or model(Window((0, 100), (0, 1)))
    loaded = LoadedModel.at_hand(translator)
    job = Job(model=loaded, exporter=NIFTI, datatype="float32", layout=Layout(out))
    return list(translate_all(subjects, job))


def made(folder: Path, name: str) -> np.ndarray:
    """Return the voxels of an output."""
    return nib.Nifti1Image.from_filename(folder / "out" / f"{name}_synthFLAIR.nii.gz").get_fdata()


def sidecar(folder: Path, name: str) -> SimpleNamespace:
    """Return what the sidecar of an output says."""
    return SimpleNamespace(**json.loads((folder / "out" / f"{name}_synthFLAIR.json").read_text()))


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """Return a subject with a T1w and a T2w, which has half its greys."""
    t1 = save(tmp_path / "s1_t1.nii.gz", GREYS)
    t2 = save(tmp_path / "s1_t2.nii.gz", GREYS / 2)
    return Subject("s1", t1, further={"t2": t2})


def test_a_model_gets_all_its_sources(tmp_path: Path, subject: Subject) -> None:
    (outcome,) = translate(tmp_path, subject)
    assert outcome.status is Status.DONE, outcome.message
    np.testing.assert_allclose(made(tmp_path, "s1"), GREYS * 5, rtol=1e-5)


def test_the_sidecar_names_the_file_of_each_source_and_its_hash(
    tmp_path: Path, subject: Subject
) -> None:
    translate(tmp_path, subject)
    record = sidecar(tmp_path, "s1")
    files = {"source": record.source, "t2": record.further_sources["t2"]}
    assert {name: one["file"] for name, one in files.items()} == {
        "source": "s1_t1.nii.gz",
        "t2": "s1_t2.nii.gz",
    }
    for one in files.values():
        assert one["sha256"] == hashlib.sha256((tmp_path / one["file"]).read_bytes()).hexdigest()


def test_an_output_is_skipped_until_its_second_source_changes(
    tmp_path: Path, subject: Subject
) -> None:
    translate(tmp_path, subject)
    (again,) = translate(tmp_path, subject)
    assert again.status is Status.SKIPPED
    save(tmp_path / "s1_t2.nii.gz", GREYS / 3)
    (changed,) = translate(tmp_path, subject)
    assert changed.status is Status.FAILED
    assert "one with another further_sources" in changed.message


def test_a_subject_without_one_of_the_sources_fails_alone(tmp_path: Path, subject: Subject) -> None:
    lacking = Subject("s0", subject.source)
    failed, done = translate(tmp_path, lacking, subject)
    assert "s1_t1.nii.gz: expected a t2 beside it, found none;" in failed.message
    assert done.status is Status.DONE


def test_a_source_on_another_grid_is_named(tmp_path: Path, subject: Subject) -> None:
    shifted = save(
        tmp_path / "shifted.nii.gz", GREYS, nib.affines.from_matvec(np.eye(3), [0, 0, 3])
    )
    (outcome,) = translate(tmp_path, replace(subject, further={"t2": shifted}))
    assert outcome.status is Status.FAILED
    assert f"{tmp_path / 'shifted.nii.gz'}: expected" in outcome.message


def test_a_source_along_other_axes_is_turned_and_the_note_names_it(
    tmp_path: Path, subject: Subject
) -> None:
    turned = np.diag([-1.0, 1, 1, 1])
    turned[0, 3] = SHAPE[0] - 1
    flipped = save(tmp_path / "flipped.nii.gz", (GREYS / 2)[::-1].copy(), turned)
    (outcome,) = translate(tmp_path, replace(subject, further={"t2": flipped}))
    assert "t2: its axes run to L, A, S: reordered to R, A, S" in outcome.message
    np.testing.assert_allclose(made(tmp_path, "s1"), GREYS * 5, rtol=1e-5)


@pytest.mark.parametrize("placed", ["t1", "t2", "t3"])
def test_sources_without_a_position_take_that_of_the_first_that_has_one(
    tmp_path: Path, placed: str
) -> None:
    affine = nib.affines.from_matvec(np.eye(3), [-3, 2, 5])
    scans = {}
    for name in ("t1", "t2", "t3"):
        image = nib.Nifti1Image(GREYS / 2, affine)
        if name != placed:
            image.set_sform(None, 0)
            image.set_qform(None, 0)
        nib.save(image, tmp_path / f"{name}.nii.gz")
        scans[name] = volume_scan(tmp_path / f"{name}.nii.gz")
    second = model(Window((0, 100), (0, 1)))
    third = replace(
        second, card=replace(second.card, sources={**second.card.sources, "t3": Percentiles()})
    )
    (outcome,) = translate(
        tmp_path, Subject("s1", scans.pop("t1"), further=scans), translator=third
    )
    assert outcome.status is Status.DONE, outcome.message
    written = nib.Nifti1Image.from_filename(tmp_path / "out" / "s1_synthFLAIR.nii.gz")
    np.testing.assert_array_equal(written.affine, affine)


def test_labels_of_a_further_source_become_those_of_the_model(
    tmp_path: Path, subject: Subject
) -> None:
    values = np.full(SHAPE, FREESURFER.labels[0].value, np.int16)
    values[4:] = 2  # Left-Cerebral-White-Matter
    labels = replace(save(tmp_path / "aseg.nii.gz", values), labels=FREESURFER)
    both = replace(subject, further={"labels": labels})
    (outcome,) = translate(tmp_path, both, translator=model(OASIS, "labels"))
    assert outcome.status is Status.DONE, outcome.message
    white_matter = OASIS.labels[-1]
    assert white_matter.name == "WM"
    np.testing.assert_array_equal(made(tmp_path, "s1")[4:], 1000)
    assert sidecar(tmp_path, "s1").further_sources["labels"]["labels"]


def test_a_file_that_cannot_be_used_is_named_whichever_source_it_is(
    tmp_path: Path, subject: Subject
) -> None:
    empty = save(tmp_path / "empty.nii.gz", np.zeros(SHAPE, np.float32))
    (outcome,) = translate(
        tmp_path, replace(subject, further={"t2": empty}), translator=model(Percentiles())
    )
    assert outcome.message.startswith(f"{tmp_path / 'empty.nii.gz'}: expected")
