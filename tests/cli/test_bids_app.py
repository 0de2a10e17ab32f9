"""`oasis-gan bids` is a BIDS App: it makes a derivative that the BIDS Validator accepts."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner, Result

from oasis_gan.cli.main import cli

TISSUES = "index\tname\n1\tCSF\n2\tGM\n3\tWM\n"
SOURCES = (
    "sub-01/ses-1/anat/sub-01_ses-1_acq-mprage_run-01",
    "sub-01/ses-1/anat/sub-01_ses-1_acq-mprage_run-02",
    "sub-01/ses-2/anat/sub-01_ses-2_space-MNI152NLin2009cAsym_res-2",
    "sub-02/ses-1/anat/sub-02_ses-1_desc-aseg",
    "sub-02/ses-1/anat/sub-02_ses-1",
)
"""Where the label maps lie in the derivative, without their suffix."""
OUTPUTS = [
    "sub-01/ses-1/anat/sub-01_ses-1_acq-mprage_run-01_desc-synth_T1w.nii.gz",
    "sub-01/ses-1/anat/sub-01_ses-1_acq-mprage_run-02_desc-synth_T1w.nii.gz",
    "sub-01/ses-2/anat/sub-01_ses-2_space-MNI152NLin2009cAsym_res-2_desc-synth_T1w.nii.gz",
    "sub-02/ses-1/anat/sub-02_ses-1_desc-asegSynth_T1w.nii.gz",
    "sub-02/ses-1/anat/sub-02_ses-1_desc-synth_T1w.nii.gz",
]

App = Callable[..., Result]


@pytest.fixture
def ds(tmp_path: Path) -> Path:
    """Return a dataset with a derivative that holds label maps."""
    root = tmp_path / "ds"
    derivative = root / "derivatives" / "fast"
    for folder in (root, derivative):
        folder.mkdir(parents=True)
        description = {"Name": "A stand-in", "BIDSVersion": "1.10.0"}
        (folder / "dataset_description.json").write_text(json.dumps(description))
    (derivative / "dseg.tsv").write_text(TISSUES)
    for seed, source in enumerate(SOURCES):
        path = derivative / f"{source}_dseg.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_labels(path, seed)
    return root


def save_labels(path: Path, seed: int) -> None:
    voxels = np.random.default_rng(seed).integers(0, 4, (5, 6, 7)).astype(np.uint8)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)


@pytest.fixture
def app(ds: Path, tmp_path: Path, paint_plugin: Path) -> App:
    """Return `oasis-gan bids` for that dataset, with the model that paints."""

    def run(*words: object, level: str = "participant", out: Path = tmp_path / "out") -> Result:
        model = ("--plugin", paint_plugin, "--model", "paint") if level == "participant" else ()
        typed = ("bids", ds, out, level, *model, *words)
        return CliRunner().invoke(cli, list(map(str, typed)))

    return run


def list_outputs(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*_T1w.nii.gz"))


def read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def find_validator() -> str:
    """Return the program that the package of the validator has installed."""
    installed = importlib.metadata.files("bids-validator-deno") or []
    (program,) = [file for file in installed if file.match("bin/bids-validator-deno")]
    return str(program.locate())


def validate(folder: Path) -> list[str]:
    """Return the errors that the BIDS Validator finds in a dataset."""
    done = subprocess.run(
        [find_validator(), str(folder), "--format", "json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert issues
    return [f"{issue}" for issue in issues if issue["severity"] == "error"]


def test_the_bids_validator_accepts_the_derivative(app: App, tmp_path: Path) -> None:
    assert app("--preview").exit_code == 0
    assert app(level="group").exit_code == 0
    assert list_outputs(tmp_path / "out") == OUTPUTS
    assert validate(tmp_path / "out") == []


def test_the_bids_validator_would_name_a_wrong_file(app: App, tmp_path: Path) -> None:
    app("--participant-label", "02")
    wrong = tmp_path / "out" / "sub-02" / "ses-1" / "anat" / "sub-02_ses-1_T1w_synth.nii.gz"
    shutil.copy(tmp_path / "out" / OUTPUTS[-1], wrong)
    assert any(wrong.name in error for error in validate(tmp_path / "out"))


def test_a_sidecar_says_what_bids_asks_for(app: App, tmp_path: Path) -> None:
    app()
    sidecar = read_json(tmp_path / "out" / OUTPUTS[2].replace(".nii.gz", ".json"))
    uri = f"bids:raw:derivatives/fast/{SOURCES[2]}_dseg.nii.gz"
    assert sidecar["Sources"] == [uri]
    assert sidecar["SpatialReference"] == uri
    assert sidecar["SkullStripped"] is True
    assert sidecar["synthetic"] is True
    assert sidecar["Resolution"]


def test_the_description_links_the_datasets_of_the_sources(
    app: App, ds: Path, tmp_path: Path
) -> None:
    app("--derivatives", f"fast={ds / 'derivatives' / 'fast'}")
    description = read_json(tmp_path / "out" / "dataset_description.json")
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "oasis-gan"
    assert description["DatasetLinks"]["raw"] == ds.as_uri()
    sidecar = read_json(tmp_path / "out" / OUTPUTS[-1].replace(".nii.gz", ".json"))
    assert sidecar["Sources"] == [f"bids:fast:{SOURCES[-1]}_dseg.nii.gz"]


def test_a_second_run_leaves_outputs_as_they_are(app: App, tmp_path: Path) -> None:
    app()
    before = [(tmp_path / "out" / name).stat().st_mtime_ns for name in OUTPUTS]
    again = app()
    assert again.exit_code == 0, again.output
    assert [(tmp_path / "out" / name).stat().st_mtime_ns for name in OUTPUTS] == before


@pytest.mark.parametrize(
    ("words", "outputs"),
    [
        (("--participant-label", "02"), OUTPUTS[3:]),
        (("--participant_label", "sub-01", "--session-label", "2"), [OUTPUTS[2]]),
    ],
)
def test_participants_and_sessions_choose(
    app: App, tmp_path: Path, words: tuple[str, ...], outputs: list[str]
) -> None:
    result = app(*words)
    assert result.exit_code == 0, result.output
    assert list_outputs(tmp_path / "out") == outputs


@pytest.mark.parametrize(
    ("conditions", "outputs"),
    [
        ({"run": 1}, OUTPUTS[:1]),
        ({"acquisition": "Query.ANY", "run": ["2", "3"]}, OUTPUTS[1:2]),
        ({"space": None, "desc": None, "acquisition": None}, OUTPUTS[4:]),
        ({"session": "2", "datatype": "anat", "suffix": "dseg"}, OUTPUTS[2:3]),
    ],
)
def test_a_filter_file_chooses_by_entities(
    app: App, tmp_path: Path, conditions: dict[str, object], outputs: list[str]
) -> None:
    filters = tmp_path / "filters.json"
    filters.write_text(json.dumps({"dseg": conditions, "bold": {"task": "rest"}}))
    result = app("--bids-filter-file", filters)
    assert result.exit_code == 0, result.output
    assert list_outputs(tmp_path / "out") == outputs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "found list"),
        ("{", "no JSON"),
        ('{"dseg": 1}', "dseg: int"),
        ('{"dseg": {"run": 9}}', "none of 5 does"),
    ],
)
def test_a_filter_file_that_cannot_be_followed_is_refused(
    app: App, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "filters.json").write_text(text)
    result = app("--bids-filter-file", tmp_path / "filters.json")
    assert result.exit_code != 0
    assert message in str(result.exception)


def test_the_citation_says_what_was_run(app: App, tmp_path: Path) -> None:
    app("--plane", "coronal")
    logs = tmp_path / "out" / "logs"
    text = (logs / "CITATION.md").read_text()
    assert "5 volumes were made with oasis-gan" in text
    assert "model paint 1" in text
    assert 'plane = "coronal"' in text
    assert "plane = &quot;coronal&quot;" in (logs / "CITATION.html").read_text()
    assert "@software{oasis_gan" in (logs / "CITATION.bib").read_text()


def test_the_group_level_lists_what_is_done_and_what_failed(
    app: App, ds: Path, tmp_path: Path
) -> None:
    (ds / "derivatives" / "fast" / f"{SOURCES[-1]}_dseg.nii.gz").write_bytes(b"damaged")
    assert app().exit_code == 1
    assert app(level="group").exit_code == 1
    with (tmp_path / "out" / "group_T1w.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    done = [row["output"] for row in rows if row["status"] == "done"]
    assert done == OUTPUTS[:4]
    (failed,) = [row for row in rows if row["status"] == "failed"]
    assert failed["participant_id"] == "sub-02"
    assert failed["message"] != "n/a"
    assert "sub-02_ses-1" in (tmp_path / "out" / "index.html").read_text()


def test_reports_only_translates_nothing(app: App, tmp_path: Path) -> None:
    app("--participant-label", "02")
    result = app("--reports-only", "--participant-label", "02", "--session-label", "1")
    assert result.exit_code == 0, result.output
    pages = sorted(path.name for path in (tmp_path / "out").rglob("*_T1w.html"))
    assert pages == [Path(name).name.replace(".nii.gz", ".html") for name in OUTPUTS[3:]]
    assert list_outputs(tmp_path / "out") == OUTPUTS[3:]


def test_the_first_crash_stops_the_others_if_the_user_says_so(
    app: App, ds: Path, tmp_path: Path
) -> None:
    (ds / "derivatives" / "fast" / f"{SOURCES[0]}_dseg.nii.gz").write_bytes(b"damaged")
    result = app("--stop-on-first-crash")
    assert result.exit_code == 1
    assert "stopped after a failure" in result.output
    assert OUTPUTS[-1] not in list_outputs(tmp_path / "out")
    app()
    assert list_outputs(tmp_path / "out") == OUTPUTS[1:]


def test_options_without_a_meaning_here_are_accepted_and_named(app: App) -> None:
    words = ("--nprocs", "4", "--mem", "8GB", "--random-seed", "1", "--participant-label", "02")
    result = app(*words)
    assert result.exit_code == 0
    for flag in ("--nprocs", "--mem", "--random-seed"):
        assert f"{flag} has nothing to do here" in result.output


def test_the_output_folder_may_not_be_a_dataset_of_another_program(app: App, ds: Path) -> None:
    assert "expected a folder of its own" in str(app(out=ds).exception)
    found = app(out=ds / "derivatives" / "fast").exception
    assert "that oasis-gan has made" in str(found)


def test_a_damaged_sidecar_is_named_and_left_out(app: App, tmp_path: Path) -> None:
    app("--participant-label", "02")
    sidecar = tmp_path / "out" / OUTPUTS[-1].replace(".nii.gz", ".json")
    content = read_json(sidecar)
    del content["model"]
    sidecar.write_text(json.dumps(content))
    result = app(level="group")
    assert "its sidecar is missing or damaged" in result.output
    table = (tmp_path / "out" / "group_T1w.tsv").read_text()
    assert OUTPUTS[-2] in table
    assert OUTPUTS[-1] not in table
