"""A run repairs what killed runs left behind, and simultaneous runs share a folder."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, tool_command

from oasis_gan.io.claims import claim, sweep

VOLUMES = 12


def label_map(path: Path, seed: int = 0) -> Path:
    voxels = np.random.default_rng(seed).integers(0, 4, (24, 26, 22)).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, np.diag([-1.0, 1, 1, 1])), path)
    return path


@pytest.fixture
def volumes(tmp_path: Path) -> list[str]:
    """Return the names of label maps in a folder."""
    names = [f"s{number:02}" for number in range(VOLUMES)]
    for seed, name in enumerate(names):
        label_map(tmp_path / f"in/{name}.nii.gz", seed)
    return names


@pytest.fixture
def words(paint_plugin: Path) -> list[str]:
    """Return the command that translates the folder, without the folder of its outputs."""
    return tool_command("run", "in", "--plugin", paint_plugin, "--model", "paint")


def hashes(out: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.iterdir()
        if path.suffix != ".tsv"
    }


def rows(out: Path) -> dict[str, list[str]]:
    lines = (out / "subjects.tsv").read_text().splitlines()
    assert lines[0].startswith("subject\tstatus\toutput\tmessage\t")
    return {line.split("\t")[0]: line.split("\t")[1:4] for line in lines[1:]}


def assert_sound(out: Path) -> None:
    """Check that every volume that has its name is whole, and every row of the table true."""
    for sidecar in out.glob("*.json"):
        record = json.loads(sidecar.read_text())
        volume = out / record["volume"]["file"]
        assert hashlib.sha256(volume.read_bytes()).hexdigest() == record["volume"]["sha256"]
    for volume in out.glob("*.nii.gz"):
        np.asarray(nib.Nifti1Image.from_filename(volume).dataobj)
    if (out / "subjects.tsv").exists():
        for status, output, _ in rows(out).values():
            assert status in {"done", "skipped"}
            assert (out / output).is_file()


def test_a_cohort_that_is_killed_again_and_again_ends_as_one_that_is_not(
    tmp_path: Path, words: list[str], volumes: list[str]
) -> None:
    subprocess.run(
        [*words, "--out", "whole"], cwd=tmp_path, capture_output=True, check=True, timeout=300
    )
    rng = random.Random(13)  # noqa: S311
    out = tmp_path / "out"
    kills = 0
    environment = {**os.environ, "PAINT_SECONDS": "0.01"}
    for _ in range(8):
        command = [*words, "--out", "out"]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.15))
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        assert_sound_of_a_killed_run(out)
    assert kills > 0
    last = subprocess.run(
        [*words, "--out", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert last.returncode == 0, last.stderr
    assert_sound(out)
    assert hashes(out) == hashes(tmp_path / "whole")
    assert set(rows(out)) == set(volumes)
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def assert_sound_of_a_killed_run(out: Path) -> None:
    """Check a folder in which a volume may lack its sidecar: what the table names is complete."""
    assert_sound(out)
    done = {row[1].removesuffix(".nii.gz") for row in rows(out).values()}
    assert done <= {path.stem for path in out.glob("*.json")}


def test_a_volume_without_its_sidecar_is_made_again(tmp_path: Path, paint: Painting) -> None:
    label_map(tmp_path / "a.nii.gz")
    paint("a.nii.gz")
    before = hashes(tmp_path / "out")
    (tmp_path / "out/a_synthT1w.json").unlink()
    (tmp_path / "out/a_synthT1w.nii.gz").write_bytes(b"of an older version")
    process = paint("a.nii.gz")
    assert process.returncode == 0, process.stderr
    (line,) = process.stderr.splitlines()
    assert "made again" in line
    assert hashes(tmp_path / "out") == before


def test_a_sidecar_without_its_volume_is_replaced(tmp_path: Path, paint: Painting) -> None:
    label_map(tmp_path / "a.nii.gz")
    paint("a.nii.gz")
    before = hashes(tmp_path / "out")
    (tmp_path / "out/a_synthT1w.nii.gz").unlink()
    process = paint("a.nii.gz")
    assert process.returncode == 0, process.stderr
    assert hashes(tmp_path / "out") == before


@pytest.mark.parametrize(
    "content", ["{}", "not JSON", '{"synthetic": true}', '{"subject": "mine"}', "[" * 100_000]
)
def test_a_file_of_the_users_own_is_not_replaced(
    tmp_path: Path, paint: Painting, content: str
) -> None:
    label_map(tmp_path / "a.nii.gz")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a_synthT1w.nii.gz").write_bytes(b"mine")
    (tmp_path / "out/a_synthT1w.json").write_text(content)
    process = paint("a.nii.gz")
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert (tmp_path / "out/a_synthT1w.nii.gz").read_bytes() == b"mine"
    assert (tmp_path / "out/a_synthT1w.json").read_text() == content


@pytest.mark.parametrize("option", [(), ("--overwrite",)])
@pytest.mark.parametrize("name", ["a_synthT1w.nii.gz", "a_synthT1w.json"])
def test_a_folder_under_the_name_of_an_output_is_never_removed(
    tmp_path: Path, paint: Painting, name: str, option: tuple[str, ...]
) -> None:
    label_map(tmp_path / "a.nii.gz")
    label_map(tmp_path / "b.nii.gz", 1)
    (tmp_path / "out" / name).mkdir(parents=True)
    (tmp_path / "out" / name / "mine.txt").write_text("mine")
    process = paint("a.nii.gz", "b.nii.gz", *option)
    assert process.returncode == 1
    (line,) = [line for line in process.stderr.splitlines() if "failed" in line]
    assert f"out/{name}" in line or not option
    assert (tmp_path / "out" / name / "mine.txt").read_text() == "mine"
    assert [status for status, *_ in rows(tmp_path / "out").values()] == ["failed", "done"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        [name, "b_synthT1w.json", "b_synthT1w.nii.gz", "subjects.tsv"]
    )


def test_leftovers_are_removed_and_files_of_others_are_not(tmp_path: Path, paint: Painting) -> None:
    label_map(tmp_path / "a.nii.gz")
    out = tmp_path / "out"
    out.mkdir()
    (out / f".{'0' * 16}.part").write_bytes(b"unfinished")
    (out / f".{'1' * 16}.work").mkdir()
    (out / f".{'1' * 16}.work/a.nii.gz").write_bytes(b"unfinished")
    (out / f".{'2' * 16}.part").mkdir()
    mine = [".mine.part", f".{'g' * 16}.part", f"{'0' * 16}.part", f".{'0' * 16}.part.txt"]
    for name in mine:
        (out / name).write_text("mine")
    process = paint("a.nii.gz")
    assert process.returncode == 0, process.stderr
    assert (
        process.stderr.splitlines()[0] == "out: removed 3 unfinished files of a run that was killed"
    )
    assert sorted(
        path.name for path in out.iterdir() if path.name.endswith((".part", ".work", ".txt"))
    ) == sorted(mine)


def test_files_of_a_living_process_are_not_removed(tmp_path: Path) -> None:
    held = claim(tmp_path, "a", wait=False)
    assert held is not None
    (held.make_work_folder() / "a.nii").write_bytes(b"being written")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from oasis_gan.io.claims import *\n"
        "p = Path(sys.argv[1])\n"
        "print(sweep(p), claim(p, 'a', wait=False), claim(p, 'b', wait=False) is not None)"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert other.stdout == "0 None True\n"
    assert (held.work / "a.nii").read_bytes() == b"being written"
    held.release()
    assert sweep(tmp_path) == 1
    assert not any(tmp_path.iterdir())


def start(words: list[str], cwd: Path, seconds: float = 0.02) -> subprocess.Popen[str]:
    environment = {**os.environ, "PAINT_SECONDS": str(seconds)}
    return subprocess.Popen(
        words, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_runs_on_one_folder_share_the_work(
    tmp_path: Path, words: list[str], volumes: list[str]
) -> None:
    for number in range(3):
        out = tmp_path / f"out{number}"
        runs = [start([*words, "--out", out.name], tmp_path) for _ in range(3)]
        said = [run.communicate(timeout=300) for run in runs]
        assert [run.returncode for run in runs] == [0, 0, 0], said
        assert_sound(out)
        assert set(rows(out)) == set(volumes)
        assert len(list(out.glob("*.nii.gz"))) == VOLUMES
        assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
        # Each volume was made once.
        done = [line for _, error in said for line in error.splitlines() if ": done" in line]
        assert len(done) == VOLUMES


def test_runs_of_other_subjects_at_the_same_time_keep_each_others_rows(
    tmp_path: Path, words: list[str], volumes: list[str]
) -> None:
    model = words[words.index("in") + 1 :]
    commands = [
        [*words[: words.index("in")], f"in/{name}.nii.gz", *model, "--out", "out"]
        for name in volumes[:6]
    ]
    runs = [start(command, tmp_path, 0) for command in commands]
    said = [run.communicate(timeout=300) for run in runs]
    assert [run.returncode for run in runs] == [0] * 6, said
    assert set(rows(tmp_path / "out")) == set(volumes[:6])


def test_of_two_runs_with_other_settings_one_is_refused(
    tmp_path: Path, words: list[str], volumes: list[str]
) -> None:
    runs = [
        start([*words, "--out", "out", "--plane", plane], tmp_path)
        for plane in ("axial", "coronal")
    ]
    said = [run.communicate(timeout=300) for run in runs]
    done = [
        {line.split()[1] for line in error.splitlines() if ": done" in line} for _, error in said
    ]
    # No volume is made by both, and who lost says so.
    assert not done[0] & done[1]
    assert len(done[0] | done[1]) == VOLUMES
    assert all(
        run.returncode == 1 for run, made in zip(runs, done, strict=True) if len(made) < VOLUMES
    )
    for sidecar in (tmp_path / "out").glob("*.json"):
        record = json.loads(sidecar.read_text())
        made_by = 0 if record["translation"]["planes"] == ["axial"] else 1
        assert f"{record['subject']}:" in done[made_by]
    for sidecar in (tmp_path / "out").glob("*.json"):
        record = json.loads(sidecar.read_text())
        volume = tmp_path / "out" / record["volume"]["file"]
        assert hashlib.sha256(volume.read_bytes()).hexdigest() == record["volume"]["sha256"]
    assert set(rows(tmp_path / "out")) == set(volumes)


def test_two_runs_that_overwrite_leave_pairs_that_belong_together(
    tmp_path: Path, words: list[str], volumes: list[str]
) -> None:
    runs = [
        start([*words, "--out", "out", "--overwrite", "--plane", plane], tmp_path)
        for plane in ("axial", "coronal")
    ]
    said = [run.communicate(timeout=300) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert_sound(tmp_path / "out")
    for plane in ("axial", "coronal"):
        shutil.rmtree(tmp_path / plane, ignore_errors=True)
        subprocess.run(
            [*words, "--out", plane, "--plane", plane],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
    for name in volumes:
        record = json.loads((tmp_path / f"out/{name}_synthT1w.json").read_text())
        alone = tmp_path / record["translation"]["planes"][0] / f"{name}_synthT1w.nii.gz"
        assert (tmp_path / f"out/{name}_synthT1w.nii.gz").read_bytes() == alone.read_bytes()


EXPORTER = """
import os
import time
from oasis_gan import Exporter, hookimpl

def write(volume, path):
    FIRST
    path.write_bytes(volume.voxels.astype("float32").tobytes())

@hookimpl
def oasis_gan_exporters():
    yield Exporter(name="raw", summary="Numbers", suffix=".raw", write=write)
"""


def exporting(
    tmp_path: Path,
    paint: Painting,
    first: str,
    *words: Any,  # noqa: ANN401
) -> subprocess.CompletedProcess[str]:
    (tmp_path / "raw.py").write_text(EXPORTER.replace("FIRST", first))
    return paint("a.nii.gz", "--plugin", "raw.py", "--exporter", "raw", *words)


def test_a_file_that_takes_the_name_meanwhile_is_not_replaced(
    tmp_path: Path, paint: Painting
) -> None:
    label_map(tmp_path / "a.nii.gz")
    process = exporting(tmp_path, paint, "open('out/a_synthT1w.raw', 'w').write('mine')")
    assert process.returncode == 1
    assert "expected a free name" in process.stderr
    assert ".work" not in process.stderr
    assert (tmp_path / "out/a_synthT1w.raw").read_text() == "mine"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a_synthT1w.raw",
        "subjects.tsv",
    ]


def test_an_exporter_that_writes_nothing_has_failed(tmp_path: Path, paint: Painting) -> None:
    label_map(tmp_path / "a.nii.gz")
    process = exporting(tmp_path, paint, "return")
    assert process.returncode == 1
    assert "expected the exporter raw to write it, found nothing" in process.stderr


@pytest.mark.parametrize("again", [False, True])
def test_an_exporter_may_make_a_folder_or_two_files(
    tmp_path: Path, paint: Painting, again: bool
) -> None:
    label_map(tmp_path / "a.nii.gz")
    folder = "path.mkdir(); (path / 'x').write_text('x'); return"
    for _ in range(1 + again):
        process = exporting(tmp_path, paint, folder, "--overwrite")
        assert process.returncode == 0, process.stderr
    assert (tmp_path / "out/a_synthT1w.raw/x").read_text() == "x"
    assert exporting(tmp_path, paint, folder).stderr.count("skipped") == 1
    shutil.rmtree(tmp_path / "out")
    assert exporting(tmp_path, paint, "path.with_suffix('.bvec').write_text('x')").returncode == 0
    record = json.loads((tmp_path / "out/a_synthT1w.json").read_text())
    assert [part["file"] for part in record["volume"]["parts"]] == ["a_synthT1w.bvec"]
    assert (tmp_path / "out/a_synthT1w.bvec").read_text() == "x"


def test_the_hash_is_of_what_was_written(tmp_path: Path, paint: Painting) -> None:
    """Even when somebody changes the file as soon as it has its name."""
    label_map(tmp_path / "a.nii.gz")
    process = exporting(tmp_path, paint, "pass")
    assert process.returncode == 0
    record = json.loads((tmp_path / "out/a_synthT1w.json").read_text())
    data = (tmp_path / "out/a_synthT1w.raw").read_bytes()
    assert record["volume"] == {
        "file": "a_synthT1w.raw",
        "sha256": hashlib.sha256(data).hexdigest(),
    }


CHANGING = """
import os
import time
import numpy as np
from pathlib import Path
from oasis_gan import Dataset, Geometry, Scan, Subject, Volume, hookimpl

def read(path):
    value = int(path.read_text())
    HOW
    return Volume(np.full((9, 9, 9), value, np.uint8), Geometry((9, 9, 9), np.eye(4)))

def subjects(selection):
    yield Subject("a", Scan(selection.root, read, parts=(selection.root.with_name("part"),)))

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="odd",
        summary="Numbers",
        open=subjects,
        recognises=lambda path: path.suffix == ".odd",
    )
"""
CHANGES = {
    "written over": "path.write_text('2')",
    "with its old time": (
        "s = path.stat(); path.write_text('2'); os.utime(path, ns=(s.st_atime_ns, s.st_mtime_ns))"
    ),
    "replaced": "path.with_name('new').write_text('2'); os.replace(path.with_name('new'), path)",
    "grown": "path.open('a').write(' ')",
    "a part": "path.with_name('part').write_text('q')",
    "gone": "path.unlink()",
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("old", [True, False])
def test_a_source_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, paint: Painting, how: str, old: bool
) -> None:
    for name, text in (("x.odd", "1"), ("part", "p")):
        (tmp_path / name).write_text(text)
    if old:
        time.sleep(2.2)
    (tmp_path / "odd.py").write_text(CHANGING.replace("HOW", CHANGES[how]))
    process = paint("x.odd", "--plugin", "odd.py")
    assert process.returncode == 1
    assert "changed" in process.stderr or "No such file" in process.stderr
    assert not list((tmp_path / "out").glob("*_synthT1w*"))


def test_references_are_recorded(tmp_path: Path, paint: Painting) -> None:
    source = label_map(tmp_path / "a.nii.gz")
    labels = np.asarray(nib.Nifti1Image.from_filename(source).dataobj)
    image = (
        np.array([0, 100, 200, 300])[labels] + np.random.default_rng(1).normal(0, 5, labels.shape)
    ) * (labels > 0)
    nib.save(
        nib.Nifti1Image(image.astype(np.float32), np.diag([-1.0, 1, 1, 1])), tmp_path / "t1.nii.gz"
    )
    process = paint("a.nii.gz", "--like", "t1.nii.gz", "--like-labels", "a.nii.gz")
    assert process.returncode == 0, process.stderr
    record = json.loads((tmp_path / "out/a_synthT1w.json").read_text())
    for key, name in (("like", "t1.nii.gz"), ("like_labels", "a.nii.gz")):
        digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert record[key] == {"file": name, "sha256": digest}
    assert paint("a.nii.gz").returncode == 1


@pytest.mark.parametrize("first", ["data/A/seg.nii.gz", "data/A", "data/B"])
def test_an_output_of_an_earlier_command_is_found_again_by_one_with_more_subjects(
    tmp_path: Path, paint: Painting, first: str
) -> None:
    label_map(tmp_path / "data/A/seg.nii.gz", 0)
    label_map(tmp_path / "data/B/seg.nii.gz", 1)
    paint(first)
    made = hashes(tmp_path / "out")
    process = paint("data")
    assert process.returncode == 0, process.stderr
    assert len(process.stdout.splitlines()) == 2
    assert sum(": done" in line for line in process.stderr.splitlines()) == 1
    assert made.items() < hashes(tmp_path / "out").items()
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 2
    assert len(rows(tmp_path / "out")) == 2
