"""Outputs are not used as sources, and a suffix is suggested where a subject has several files."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan

from oasis_gan.checks.kinds import hint_at_suffix
from oasis_gan.checks.outputs import is_output


def save(path: Path, value: float = 1, synthetic: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.zeros((12, 14, 10), np.float32 if value % 1 else np.uint8)
    voxels[2:-2, 2:-2, 2:-2] = value
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)
    if synthetic:
        path.with_name(f"{path.name.removesuffix('.nii.gz')}.json").write_text(
            '{"synthetic": true}'
        )
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("a_seg", "b_seg"):
        save(tmp_path / "data" / f"{name}.nii.gz")
    return tmp_path / "data"


def table(out: Path) -> dict[str, str]:
    rows = [row.split("\t") for row in (out / "subjects.tsv").read_text().splitlines()[1:]]
    return {subject: status for subject, status, *_ in rows}


@pytest.mark.parametrize("out", ["data/out", "data"])
def test_a_second_run_into_a_folder_within_the_sources_skips_all_of_them(
    tmp_path: Path, data: Path, paint_plugin: Path, out: str
) -> None:
    words = ("run", "data", "--out", out, "--plugin", paint_plugin, "--model", "paint")
    first = oasis_gan(*words, cwd=tmp_path)
    assert (first.returncode, len(first.stdout.split())) == (0, 2), first.stderr
    assert "left out" not in first.stderr
    second = oasis_gan(*words, cwd=tmp_path)
    assert (second.returncode, second.stdout) == (0, first.stdout), second.stderr
    assert "data: 2 outputs of oasis-gan left out, such as a_seg_synthT1w.nii.gz\n" in second.stderr
    assert second.stderr.count(": skipped - already there") == 2
    assert table(tmp_path / out) == {"a_seg": "done", "b_seg": "done"}


def test_check_and_suffixes_do_not_list_outputs(tmp_path: Path, data: Path) -> None:
    save(data / "out" / "a_seg_synthT1w.nii.gz", 42.6, synthetic=True)
    save(data / "c_synthseg.nii.gz", synthetic=True)
    for words in ((), ("--source-suffix", "seg.nii.gz")):
        checked = oasis_gan("check", "data", "--format", "tsv", *words, cwd=tmp_path)
        assert checked.returncode == 0
        names = [row.split("\t")[0].rstrip("_seg") for row in checked.stdout.splitlines()[1:]]
        assert names == ["a", "b"]
        assert "of oasis-gan left out" in checked.stderr


def test_in_a_bids_dataset_an_output_is_no_source_either(tmp_path: Path, paint: Painting) -> None:
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds" / "dataset_description.json").write_text("{}")
    save(tmp_path / "ds/sub-01/anat/sub-01_dseg.nii.gz")
    save(tmp_path / "ds/sub-02/anat/sub-02_desc-made_dseg.nii.gz", synthetic=True)
    done = paint("ds")
    assert done.returncode == 0, done.stderr
    assert (
        "ds: 1 output of oasis-gan left out, such as sub-02_desc-made_dseg.nii.gz\n" in done.stderr
    )
    assert len(done.stdout.split()) == 1


def test_an_output_that_is_named_is_used_with_a_warning(
    tmp_path: Path, data: Path, paint: Painting
) -> None:
    save(data / "c_synthmap.nii.gz", synthetic=True)
    said = "warning: using synthetic sources, which oasis-gan has made: c_synthmap.nii.gz\n"
    for words in (("data/c_synthmap.nii.gz",), ("data", "--source-suffix", "_synthmap.nii.gz")):
        done = paint(*words, "--overwrite")
        assert done.returncode == 0, done.stderr
        assert said in done.stderr


def test_a_folder_of_nothing_but_outputs_says_so(tmp_path: Path) -> None:
    save(tmp_path / "out" / "a_synthT1w.nii.gz", synthetic=True)
    checked = oasis_gan("check", "out", "--format", "tsv", cwd=tmp_path)
    assert checked.returncode == 1
    said = "expected volumes that are not outputs, found 1 output of oasis-gan and nothing else; "
    assert f"{said}name the fi" in checked.stdout


@pytest.mark.parametrize(
    ("content", "is_one"),
    [
        (b'{"synthetic": true}', True),
        (b'{"synthetic": false}', False),
        (b'{"synthetic": "true"}', False),
        (b'{"synthetic": 1}', False),
        (b'["synthetic"]', False),
        (b"{", False),
        (b"\xff\xfe", False),
        (b"[" * 100_000, False),
        (b'{"synthetic": true, "x": "' + b" " * 2**21 + b'"}', False),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("name", ["a.nii.gz", "a.mgz", "a.hdr", "a.npy"])
def test_only_a_sidecar_that_says_so_marks_an_output(
    tmp_path: Path, name: str, content: bytes, is_one: bool
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert is_output(tmp_path / name) is is_one


def test_reading_a_sidecar_does_not_wait_for_a_pipe_or_a_device(tmp_path: Path) -> None:
    assert not is_output(tmp_path / "a.nii")
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").symlink_to("/dev/zero")
    (tmp_path / "c.json").mkdir()
    (tmp_path / "d.json").symlink_to("d.json")
    assert not any(is_output(tmp_path / f"{name}.nii") for name in "abcd")


@pytest.mark.parametrize(
    ("exporter", "ending"), [("nifti", "nii.gz"), ("nifti-uncompressed", "nii"), ("nrrd", "nrrd")]
)
def test_an_output_is_recognised_by_its_sidecar(
    tmp_path: Path, data: Path, paint: Painting, exporter: str, ending: str
) -> None:
    done = paint("data/a_seg.nii.gz", "--exporter", exporter)
    assert done.returncode == 0, done.stderr
    assert is_output(tmp_path / f"out/a_seg_synthT1w.{ending}")


@pytest.mark.parametrize(
    ("exporter", "ending"),
    [("nifti", "nii.gz"), ("nifti-uncompressed", "nii"), ("nrrd", "nrrd"), ("metaimage", "mha")],
)
def test_an_output_that_has_lost_its_sidecar_is_recognised(
    tmp_path: Path, data: Path, paint: Painting, exporter: str, ending: str
) -> None:
    done = paint("data/a_seg.nii.gz", "--exporter", exporter)
    assert done.returncode == 0, done.stderr
    (tmp_path / "out/a_seg_synthT1w.json").unlink()
    assert is_output(tmp_path / f"out/a_seg_synthT1w.{ending}")


def test_an_output_that_has_lost_its_sidecar_is_no_source(
    tmp_path: Path, data: Path, paint: Painting
) -> None:
    assert paint("data/a_seg.nii.gz").returncode == 0
    (tmp_path / "out/a_seg_synthT1w.nii.gz").rename(data / "c.nii.gz")
    checked = oasis_gan("check", "data", "--format", "tsv", cwd=tmp_path)
    assert "data: 1 output of oasis-gan left out, such as c.nii.gz\n" in checked.stderr


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00broken", bytes(2000), b"synthetic"],
    ids=["empty", "magic number", "broken gzip", "zeros", "another text"],
)
def test_other_files_are_not_marked(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nii.gz").write_bytes(content)
    assert not is_output(tmp_path / "a.nii.gz")


def test_reading_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.nii")
    assert not is_output(tmp_path / "a.nii")


# Several files of a subject


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["sub-01_seg", "sub-01_t1", "sub-02_seg"],
            "sub-01_seg and sub-01_t1: `source_suffix` _seg takes",
        ),
        (["one/seg", "one/t1", "two/seg"], "seg and t1: `source_suffix` seg takes"),
        (["mri/aparc+aseg", "mri/T1"], "aparc+aseg and T1: `source_suffix` aparc+aseg"),
        (["one/seg", "two/t1"], None),
        (["sub-01_T1w", "sub-01_dseg"], "sub-01_dseg and sub-01_T1w: `source_suffix` _dseg"),
        (["sub-01_seg", "sub-02_seg"], None),
        (["sub-01_seg", "sub-02_t1"], None),
        (["sub-01_ses-1", "sub-01_ses-2", "case_001", "case_002"], None),
        (["a", "b"], None),
        ([], None),
    ],
)
def test_labels_beside_an_mri_suggest_a_suffix(names: list[str], said: str | None) -> None:
    hint = hint_at_suffix(Path(f"{name}.nii.gz") for name in names)
    assert hint is None if said is None else said in (hint or "")


def test_commands_suggest_a_suffix_where_labels_lie_beside_mri(
    tmp_path: Path, paint: Painting
) -> None:
    save(tmp_path / "heads/sub-01_seg.nii.gz")
    save(tmp_path / "heads/sub-01_t1.nii.gz", 42.6)
    mixed = paint("heads")
    assert mixed.returncode == 1
    assert (
        "heads: several files of a subject, such as sub-01_seg and sub-01_t1: --source-suffix _seg"
        in mixed.stderr
    )
    chosen = paint("heads", "--source-suffix", "_seg", "--overwrite")
    assert chosen.returncode == 0, chosen.stderr
    assert "--source-suffix" not in chosen.stderr
