"""A layout decides where an output and everything that belongs to it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from kit.heads import files
from kit.painting import LoadedModel, painter

from oasis_gan import Exporter, Geometry, Scan, Subject, Volume
from oasis_gan.pipeline.cohort import translate_all
from oasis_gan.pipeline.job import Job
from oasis_gan.pipeline.ledger import Ledger, Status
from oasis_gan.pipeline.places import Layout, OutputFiles


@dataclass(frozen=True)
class FolderEach(Layout):
    """A folder for each output."""

    def locate(self, name: str, kind: str, suffix: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return files that are all called alike."""
        return OutputFiles(self.root / "anat" / name / f"{kind}{suffix}", suffix)


@dataclass(frozen=True)
class FolderOfVisit(Layout):
    """A folder for each participant, and in it one for each visit."""

    def locate(self, name: str, kind: str, suffix: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return files in the folder of a visit."""
        folders = [f"{key}-{entities[key]}" for key in ("sub", "ses") if key in entities]
        return OutputFiles(self.root.joinpath(*folders, f"{name}_{kind}{suffix}"), suffix)


def write(volume: Volume, path: Path) -> None:
    path.write_bytes(volume.voxels.tobytes())


def read(path: Path) -> Volume:
    voxels = np.full((3, 4, 5), int(path.read_text()), np.int32)
    return Volume(voxels, Geometry(voxels.shape, np.eye(4)))


@pytest.fixture
def subjects(tmp_path: Path) -> list[Subject]:
    """Return two subjects."""
    for name, label in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.txt").write_text(str(label))
    return [Subject(name, Scan(tmp_path / f"{name}.txt", read)) for name in "ab"]


def translate_into(layout: Layout, subjects: list[Subject]) -> list[Status]:
    """Translate subjects, write the table, and return what became of each subject."""
    exporter = Exporter(name="raw", summary="raw", suffix=".raw.gz", write=write)
    job = Job(
        model=LoadedModel.at_hand(painter()),
        exporter=exporter,
        datatype="float32",
        layout=layout,
    )
    ledger = Ledger(layout.ledger)
    outcomes = list(translate_all(subjects, job))
    for outcome in outcomes:
        ledger.add(outcome)
    ledger.write()
    return [outcome.status for outcome in outcomes]


def test_files_of_an_output_are_called_alike(tmp_path: Path) -> None:
    output = Layout(tmp_path).locate("sub-01", "T1w", ".nii.gz", {})
    names = [output.volume, output.sidecar, output.label_table, output.further_map("doubt")]
    assert [path.relative_to(tmp_path).as_posix() for path in names] == [
        "sub-01_synthT1w.nii.gz",
        "sub-01_synthT1w.json",
        "sub-01_synthT1w.tsv",
        "sub-01_desc-synthT1w_doubtmap.nii.gz",
    ]


def test_another_layout_moves_outputs_with_all_that_belongs_to_them(
    tmp_path: Path, subjects: list[Subject]
) -> None:
    (tmp_path / "out").mkdir()
    layout = FolderEach(tmp_path / "out")
    assert translate_into(layout, subjects) == [Status.DONE] * 2
    assert sorted(files(layout.root)) == [
        "anat/a/T1w.json",
        "anat/a/T1w.raw.gz",
        "anat/b/T1w.json",
        "anat/b/T1w.raw.gz",
        "subjects.tsv",
    ]
    rows = layout.ledger.read_text().splitlines()[1:]
    assert [row.split("\t")[2] for row in rows] == ["anat/a/T1w.raw.gz", "anat/b/T1w.raw.gz"]


def test_a_layout_may_place_outputs_by_participant_and_visit(
    tmp_path: Path, subjects: list[Subject]
) -> None:
    (tmp_path / "out").mkdir()
    layout = FolderOfVisit(tmp_path / "out")
    a, b = subjects
    known = replace(a, entities={"sub": "01", "ses": "2", "run": "1"})
    assert translate_into(layout, [known, b]) == [Status.DONE] * 2
    outputs = [name for name in sorted(files(layout.root)) if name.endswith(".gz")]
    # Of the other nothing is known.
    assert outputs == ["b_T1w.raw.gz", "sub-01/ses-2/a_T1w.raw.gz"]
    assert translate_into(layout, [known, b]) == [Status.SKIPPED] * 2


def test_outputs_in_another_layout_are_found_again(tmp_path: Path, subjects: list[Subject]) -> None:
    (tmp_path / "out").mkdir()
    layout = FolderEach(tmp_path / "out")
    translate_into(layout, subjects)
    before = files(layout.root)
    (layout.root / "anat" / "b" / "T1w.raw.gz").unlink()
    assert translate_into(layout, subjects) == [Status.SKIPPED, Status.DONE]
    outputs = {name: content for name, content in before.items() if name != "subjects.tsv"}
    assert outputs.items() <= files(layout.root).items()
