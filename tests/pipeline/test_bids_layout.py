"""A BIDS layout gives each output the name that BIDS prescribes for a derivative."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oasis_gan import Geometry, Scan, Subject, Volume
from oasis_gan.pipeline.bids_layout import BidsLayout
from oasis_gan.pipeline.naming import plan_names


@pytest.mark.parametrize(
    ("name", "entities", "volume"),
    [
        ("sub-01", {"sub": "01"}, "sub-01/anat/sub-01_desc-synth_T1w.nii"),
        (
            "sub-01_ses-2_run-01",
            {"sub": "01", "ses": "2", "run": "1"},
            "sub-01/ses-2/anat/sub-01_ses-2_run-01_desc-synth_T1w.nii",
        ),
        (
            "sub-01_sess-d1",
            {"sub": "01", "ses": "d1"},
            "sub-01/ses-d1/anat/sub-01_ses-d1_desc-synth_T1w.nii",
        ),
        (
            "sub-01_space-MNI_seg-fast_desc-x",
            {"sub": "01", "space": "MNI", "seg": "fast", "desc": "x"},
            "sub-01/anat/sub-01_space-MNI_desc-fastXSynth_T1w.nii",
        ),
        ("head", {}, "sub-head/anat/sub-head_desc-synth_T1w.nii"),
    ],
)
def test_an_output_keeps_the_entities_of_its_source(
    tmp_path: Path, name: str, entities: dict[str, str], volume: str
) -> None:
    files = BidsLayout(tmp_path).locate(name, "T1w", ".nii", entities)
    assert files.volume.relative_to(tmp_path).as_posix() == volume


def test_a_further_map_has_one_description(tmp_path: Path) -> None:
    files = BidsLayout(tmp_path).locate("sub-01", "T1w", ".nii", {"sub": "01"})
    assert files.further_map("uncertainty").name == "sub-01_desc-synth_stdmap.nii"
    assert files.map_sidecar("uncertainty").name == "sub-01_desc-synth_stdmap.json"


def test_sources_of_one_name_have_an_output_each(tmp_path: Path) -> None:
    entities = {"sub": "01"}
    subjects = [
        Subject("sub-01", Scan(tmp_path / name, refuse), entities=entities)
        for name in ("sub-01_dseg.nii", "sub-01_dseg.nii.gz")
    ]
    layout = BidsLayout(tmp_path)
    volumes = {
        layout.locate(naming.preferred, "T1w", ".nii", naming.entities).volume
        for naming in plan_names(subjects)
    }
    assert len(volumes) == 2


def test_a_source_outside_all_datasets_has_the_uri_of_its_file(tmp_path: Path) -> None:
    voxels = np.zeros((2, 2, 2), np.float32)
    volume = Volume(voxels, Geometry(voxels.shape, np.eye(4)))
    layout = BidsLayout(tmp_path, {"raw": tmp_path / "ds", "fast": tmp_path / "ds" / "fast"})
    uris = []
    for path in ("ds/fast/a b.nii", "ds/a.nii", "a.nii"):
        subject = Subject("a", Scan(tmp_path / path, refuse))
        uris.append(layout.describe(subject, volume, "image")["SpatialReference"])
    assert uris == ["bids:fast:a%20b.nii", "bids:raw:a.nii", (tmp_path / "a.nii").as_uri()]


def refuse(path: Path) -> Volume:
    raise AssertionError(path)
