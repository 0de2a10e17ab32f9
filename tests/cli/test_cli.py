"""What a user types and sees: real processes, real files, exit codes, and nothing half done."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan, on_terminal, paint_in, tool_command
from numpy.typing import NDArray

import oasis_gan as package

HEADER = ["subject", "status", "output", "message", "seconds", "tag", "fingerprint"]
FolderRun = tuple[Path, subprocess.CompletedProcess[str]]
GREYS = np.array([0, 300, 550, 750])


def voxels_of(path: Path) -> NDArray[Any]:
    """Return the voxels of a NIfTI file, as stored."""
    return np.asarray(nib.Nifti1Image.from_filename(path).dataobj)


def label_map(path: Path, shape: tuple[int, int, int] = (10, 12, 9), seed: int = 0) -> Path:
    """Write a label map with an oblique, anisotropic affine."""
    voxels = np.random.default_rng(seed).integers(0, 4, shape).astype(np.uint8)
    affine = nib.affines.from_matvec(
        nib.eulerangles.euler2mat(0.1, 0.2, -0.3) @ np.diag([-1.0, 1.2, 2]), (5, -7, 11)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, affine), path)
    return path


def table(out: Path) -> list[list[str]]:
    """Return the rows of subjects.tsv below its header."""
    rows = [line.split("\t") for line in (out / "subjects.tsv").read_text().splitlines()]
    assert rows[0] == HEADER
    assert {len(row) for row in rows} == {len(HEADER)}
    return rows[1:]


def assert_one_line(process: subprocess.CompletedProcess[str], *said: str) -> None:
    """Check that a failure is a line, and not a traceback."""
    (line,) = process.stderr.strip().splitlines()
    for part in said:
        assert part in line
    assert process.stdout == ""


def test_a_volume_is_translated_onto_its_own_grid(tmp_path: Path, paint: Painting) -> None:
    source = label_map(tmp_path / "sub-01_seg.nii.gz")
    process = paint(source)
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == ["out/sub-01_seg_synthT1w.nii.gz"]
    output = tmp_path / process.stdout.strip()
    np.testing.assert_array_equal(
        nib.Nifti1Image.from_filename(output).affine, nib.Nifti1Image.from_filename(source).affine
    )
    made = voxels_of(output)
    given = voxels_of(source)
    assert made.shape == given.shape
    assert not made[given == 0].any()
    assert made[given > 0].min() > 0
    assert made.max() <= GREYS.max()


def test_on_the_models_own_grid_every_voxel_gets_its_own_value(
    tmp_path: Path, paint: Painting
) -> None:
    voxels = np.random.default_rng(0).integers(0, 4, (9, 8, 7)).astype(np.uint8)
    nib.save(nib.Nifti1Image(voxels, np.diag([-1, 1, 1, 1])), tmp_path / "seg.nii")
    for plane in ("axial", "coronal"):
        assert paint("seg.nii", "--plane", plane, "--overwrite").returncode == 0
        np.testing.assert_allclose(
            voxels_of(tmp_path / "out/seg_synthT1w.nii.gz"), GREYS[voxels], rtol=1e-6
        )


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory, paint_plugin: Path) -> Path:
    """Return a folder with a label map, and its translation in ``out``."""
    folder = tmp_path_factory.mktemp("translated")
    process = paint_in(folder, paint_plugin)(label_map(folder / "a.nii.gz"))
    assert process.returncode == 0, process.stderr
    return folder


@pytest.fixture(scope="module")
def record(translated: Path) -> dict[str, Any]:
    """Return the sidecar of that translation."""
    sidecar: dict[str, Any] = json.loads((translated / "out/a_synthT1w.json").read_text())
    return sidecar


def test_the_sidecar_marks_the_output_as_synthetic(record: dict[str, Any]) -> None:
    assert record["synthetic"] is True


def test_the_sidecar_names_the_model_and_how_it_translated(record: dict[str, Any]) -> None:
    assert record["model"] == {"name": "paint", "version": "1", "weights_sha256": "0" * 64}
    assert record["options"] == {"plane": "auto"}
    assert record["translation"] == {"planes": ["axial"]}
    assert record["target_encoding"]["values"] == [0, 1000]


@pytest.mark.parametrize(
    ("entry", "file"), [("source", "a.nii.gz"), ("volume", "out/a_synthT1w.nii.gz")]
)
def test_the_sidecar_has_names_and_hashes_of_source_and_output(
    translated: Path, record: dict[str, Any], entry: str, file: str
) -> None:
    path = translated / file
    assert record[entry]["file"] == path.name
    assert record[entry]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_sidecar_holds_no_folder_of_the_machine(
    translated: Path, record: dict[str, Any]
) -> None:
    assert str(translated) not in json.dumps(record)


@pytest.fixture(scope="module")
def mixed_run(tmp_path_factory: pytest.TempPathFactory, paint_plugin: Path) -> FolderRun:
    """Return the folder of a run over good and bad subjects, and its process."""
    folder = tmp_path_factory.mktemp("mixed")
    label_map(folder / "in/a.nii.gz")
    whole = label_map(folder / "whole.nii.gz").read_bytes()
    (folder / "in/b.nii.gz").write_bytes(whole[:-20])
    wrong_value = nib.Nifti1Image(np.full((5, 5, 5), 1000, np.int16), np.eye(4))
    nib.save(wrong_value, folder / "in/c.nii.gz")
    four_axes = nib.Nifti1Image(np.ones((5, 5, 5, 2), np.uint8), np.eye(4))
    nib.save(four_axes, folder / "in/d.nii.gz")
    label_map(folder / "in/e/deep.nii")
    return folder, paint_in(folder, paint_plugin)("in", "missing.nii.gz")


def test_one_bad_subject_does_not_stop_the_others(mixed_run: FolderRun) -> None:
    folder, process = mixed_run
    assert process.returncode == 1
    assert {row[0]: row[1] for row in table(folder / "out")} == {
        "missing.nii.gz": "failed",
        "a": "done",
        "b": "failed",
        "c": "failed",
        "d": "failed",
        "e_deep": "done",
    }


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("b", "damaged or incomplete"),
        ("c", "expected labels 0 background, 1 CSF, 2 GM, 3 WM (oasis), found 1000"),
        ("d", "3-D volume"),
        ("missing.nii.gz", "nothing there"),
    ],
)
def test_the_table_says_why_a_subject_failed(mixed_run: FolderRun, subject: str, said: str) -> None:
    folder, _ = mixed_run
    messages = {row[0]: row[3] for row in table(folder / "out")}
    assert said in messages[subject]


def test_a_run_reports_the_layout_and_one_line_for_each_subject(mixed_run: FolderRun) -> None:
    _, process = mixed_run
    first, *lines = process.stderr.splitlines()
    assert first == "reading in as nifti"
    assert len(lines) == 6
    assert "Traceback" not in process.stderr


def test_a_subject_that_fails_leaves_no_file(mixed_run: FolderRun) -> None:
    folder, _ = mixed_run
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "a_synthT1w.json",
        "a_synthT1w.nii.gz",
        "e_deep_synthT1w.json",
        "e_deep_synthT1w.nii.gz",
        "subjects.tsv",
    ]


@pytest.fixture
def made(tmp_path: Path, paint: Painting) -> Path:
    """Return the output of a run; its source is ``a.nii.gz``."""
    assert paint(label_map(tmp_path / "a.nii.gz")).returncode == 0
    return tmp_path / "out/a_synthT1w.nii.gz"


def test_an_existing_output_is_skipped(made: Path, paint: Painting) -> None:
    before = made.stat().st_mtime_ns
    again = paint("a.nii.gz")
    assert again.returncode == 0
    assert "a: skipped - already there" in again.stderr
    # The table still says what the run that made it had to say.
    assert table(made.parent)[0][1] == "done"
    assert made.stat().st_mtime_ns == before


def change_output(made: Path) -> None:
    made.write_bytes(made.read_bytes() + b"x")


def change_source(made: Path) -> None:
    label_map(made.parent.parent / "a.nii.gz", seed=1)


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        (None, ("--plane", "coronal"), "one with another plane"),
        (change_output, (), "one with another volume"),
        (change_source, (), "one with another source"),
    ],
)
def test_an_output_that_would_differ_is_replaced_only_on_request(
    made: Path,
    paint: Painting,
    change: Callable[[Path], None] | None,
    words: tuple[str, ...],
    said: str,
) -> None:
    if change is not None:
        change(made)
    before = made.stat().st_mtime_ns
    refused = paint("a.nii.gz", *words)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert made.stat().st_mtime_ns == before
    assert paint("a.nii.gz", *words, "--overwrite").returncode == 0
    assert made.stat().st_mtime_ns != before


def test_sources_of_the_same_name_get_separate_outputs(tmp_path: Path, paint: Painting) -> None:
    sources = [
        label_map(tmp_path / folder / "seg.nii.gz", seed=seed) for seed, folder in enumerate("ab")
    ]
    process = paint(*sources)
    assert process.returncode == 0
    first, second = (voxels_of(tmp_path / line) for line in process.stdout.splitlines())
    assert not np.array_equal(first, second)
    assert len({row[2] for row in table(tmp_path / "out")}) == 2


@pytest.mark.parametrize(
    "name", ["a b (copy)", "-dash", "patiënt_脑", "=cmd|calc", "50%s<b>", "new\nline", "v1.2.T1w"]
)
def test_any_file_name_works(tmp_path: Path, paint: Painting, name: str) -> None:
    label_map(tmp_path / "in" / f"{name}.nii.gz")
    process = paint("in")
    assert process.returncode == 0, process.stderr
    assert len(list((tmp_path / "out").glob("*_synthT1w.nii.gz"))) == 1
    assert len(table(tmp_path / "out")) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("run", "a.nii.gz", "--out", "out", "--model", "nonsense"),
            ("--model", "nonsense", "see oasis-gan models"),
        ),
        (("run", "a.nii.gz", "--out", "out", "--exporter", "dicom"), ("exporter dicom", "nifti")),
        (("run", "a.nii.gz", "--out", "out", "--dataset", "xnat"), ("dataset xnat", "nifti")),
        (("run", "a.nii.gz", "--out", "a.nii.gz"), ("a.nii.gz", "check the path")),
        (("run", "a.nii.gz", "--out", "out", "--plugin", "none.py"), ("none.py", "no such file")),
        (
            ("train", "a.nii.gz", "--out", "m", "--set", "steps"),
            ("--set", "expected KEY=VALUE, found steps"),
        ),
        (("train", "a.nii.gz", "--out", "m", "--validate", "b"), ("--validate", "found b")),
        (("train", "a.nii.gz", "--out", "m", "--kind", "b"), ("model kind b", "pix2pix")),
        (
            ("train", "a.nii.gz", "--out", "m", "--recipe", "none.toml"),
            ("none.toml", "No such file"),
        ),
    ],
)
def test_wrong_usage_is_one_line_and_exit_status_2(
    tmp_path: Path, paint_plugin: Path, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    label_map(tmp_path / "a.nii.gz")
    model = () if {"--model", "train"} & set(words) else ("--model", "paint")
    plugin = () if "--plugin" in words else ("--plugin", paint_plugin)
    process = oasis_gan(*words, *model, *plugin, cwd=tmp_path)
    assert process.returncode == 2
    assert_one_line(process, *said)


def test_a_plane_the_model_does_not_know_is_refused(tmp_path: Path, paint: Painting) -> None:
    process = paint(label_map(tmp_path / "a.nii.gz"), "--plane", "sagittal")
    assert process.returncode == 2
    assert_one_line(process, "--plane", "axial, coronal", "found sagittal")


@pytest.mark.parametrize(
    "words", [("--like", "missing.nii"), ("--like", "a.nii.gz", "--like-labels", "missing.nii")]
)
def test_a_missing_reference_is_one_line_and_leaves_nothing(
    tmp_path: Path, paint: Painting, words: tuple[str, ...]
) -> None:
    process = paint(label_map(tmp_path / "a.nii.gz"), *words)
    assert process.returncode == 2
    assert_one_line(process, "missing.nii: ", "no such file; check the path")
    assert not (tmp_path / "out").exists()


def test_without_subjects_the_table_says_why_and_no_model_is_loaded(tmp_path: Path) -> None:
    """With the model that ships, which would bring TensorFlow."""
    (tmp_path / "a.txt").write_text("no volume")
    code = (
        "import sys\n"
        "from oasis_gan.cli.main import main\n"
        "try: main()\n"
        "finally: print('tensorflow' in sys.modules)"
    )
    words = ("run", "a.txt", "--out", "out")
    process = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 1
    assert process.stdout == "False\n"
    (row,) = table(tmp_path / "out")
    assert row[:2] == ["a.txt", "failed"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, paint: Painting) -> None:
    """A limit on the size of files stands in for the disk: the same system call fails."""
    rng = np.random.default_rng(0)
    nib.save(
        nib.Nifti1Image(rng.integers(0, 4, (40, 40, 40)).astype(np.uint8), np.diag([2, 1.1, 1, 1])),
        tmp_path / "big.nii",
    )
    label_map(tmp_path / "small.nii.gz")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    process = paint("big.nii", "small.nii.gz", preexec_fn=limit)
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    status = {row[0]: row for row in table(tmp_path / "out")}
    assert status["big"][1] == "failed"
    assert "raise the limit on the size of a file" in status["big"][3]
    assert status["small"][1] == "done"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["small_synthT1w.json", "small_synthT1w.nii.gz", "subjects.tsv"]


def _heed_interrupts() -> None:
    """Undo what a shell does to commands it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_run_keeps_finished_outputs_and_can_be_continued(
    tmp_path: Path, paint: Painting, paint_plugin: Path
) -> None:
    for seed, name in enumerate("abc"):
        label_map(tmp_path / f"in/{name}.nii.gz", seed=seed)
    words = ["run", "in", "--out", "out", "--plugin", str(paint_plugin), "--model", "paint"]
    slow = {**os.environ, "PAINT_SECONDS": "1"}
    process = subprocess.Popen(
        tool_command(*words),
        preexec_fn=_heed_interrupts,
        cwd=tmp_path,
        env=slow,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    # Printed once the outcome is put down, not as soon as the file is there.
    assert process.stdout.readline() == "out/a_synthT1w.nii.gz\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    # The second one is being written when the first is told; the third is not begun.
    rows = [row[:2] for row in table(tmp_path / "out")]
    assert rows in ([["a", "done"]], [["a", "done"], ["b", "done"]])
    assert paint("in").returncode == 0
    assert [row[1] for row in table(tmp_path / "out")] == ["done"] * 3


@pytest.mark.parametrize("piped", [False, True])
def test_on_a_terminal_results_and_progress_bar_do_not_mix(
    tmp_path: Path, paint_plugin: Path, piped: bool
) -> None:
    """A real terminal on standard error; results go to a pipe, or to the same terminal."""
    label_map(tmp_path / "a.nii.gz")
    words = ["run", "a.nii.gz", "--out", "out", "--plugin", str(paint_plugin), "--model", "paint"]
    status, results, seen = on_terminal(tool_command(*words), tmp_path, piped=piped)
    assert status == 0
    assert "[1/1] a: done" in seen
    if piped:
        assert results == b"out/a_synthT1w.nii.gz\n"
    else:
        assert re.search(r"(^|\n|\r|\x1b\[2K)out/a_synthT1w.nii.gz\r?\n", seen)


def test_suffixes_choose_the_sources_of_a_folder(tmp_path: Path, paint: Painting) -> None:
    label_map(tmp_path / "in/s1/x_seg.nii.gz")
    label_map(tmp_path / "in/s1/x_t1.nii.gz")
    process = paint("in", "--source-suffix", "_seg.nii.gz")
    assert process.stdout.split() == ["out/s1_x_synthT1w.nii.gz"]


def save_pair(folder: Path, seed: int) -> NDArray[np.uint8]:
    """Save a label map and an image of it in a folder, and return the label map."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((20, 22, 18), np.uint8)
    labels[2:-2, 2:-2, 2:-2] = rng.integers(1, 4, (16, 18, 14))
    noise = rng.normal(0, 1, labels.shape) * (labels > 0)
    image = (GREYS[labels] / 10 + noise).astype(np.float32)
    folder.mkdir(parents=True)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / "seg.nii.gz")
    nib.save(nib.Nifti1Image(image, np.eye(4)), folder / "t1.nii.gz")
    return labels


_PAIRS = ("--source-suffix", "seg.nii.gz", "--target-suffix", "t1.nii.gz")
_TINY = ("--recipe", "tiny.toml")


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> FolderRun:
    """Return the folder of a training of three steps, and its process."""
    folder = tmp_path_factory.mktemp("training")
    save_pair(folder / "data" / "one", seed=1)
    save_pair(folder / "data" / "two", seed=2)
    (folder / "tiny.toml").write_text(
        "steps = 3\nsize = 16\n[generator]\nlevels = 2\nfilters = 4\n"
        "[discriminator]\nreceptive_field = 16\n"
    )
    chosen = ("--validate", "two", "--set", "name=tiny", "--out", "m")
    return folder, oasis_gan("train", "data", *_PAIRS, *_TINY, *chosen, cwd=folder)


def test_a_training_prints_only_its_own_lines(training: FolderRun) -> None:
    """Messages of TensorFlow are not shown."""
    _, process = training
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == ["m"]
    assert len(process.stderr.splitlines()) == 5


def test_a_run_of_a_trained_model_prints_only_its_own_line(training: FolderRun) -> None:
    folder, _ = training
    model = ("--model", "m", "--plane", "sagittal")
    process = oasis_gan("run", "data/one/seg.nii.gz", *model, "--out", "out", cwd=folder)
    assert process.returncode == 0, process.stderr
    assert process.stdout.split() == ["out/seg_synthT1w.nii.gz"]
    (line,) = process.stderr.splitlines()
    assert line.startswith("[1/1] seg: done")
    labels = voxels_of(folder / "data/one/seg.nii.gz")
    made = voxels_of(folder / "out/seg_synthT1w.nii.gz")
    assert not made[labels == 0].any()
    assert made[labels > 0].std() > 0


def test_a_training_into_the_folder_of_another_is_refused(training: FolderRun) -> None:
    folder, _ = training
    again = oasis_gan("train", "data", *_PAIRS, *_TINY, "--out", "m", cwd=folder)
    assert again.returncode == 2
    assert_one_line(again, "a new folder")


def test_help_imports_neither_numpy_nor_nibabel() -> None:
    loaded = "print(sorted({'numpy', 'nibabel'}.intersection(sys.modules)))"
    code = f"import sys; from oasis_gan.cli.main import main\ntry: main()\nfinally: {loaded}"
    process = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True
    )
    assert process.stdout.endswith("[]\n")


def test_every_public_name_can_be_imported() -> None:
    assert [name for name in package.__all__ if getattr(package, name, None) is None] == []
    assert len(package.__all__) > 30


def test_the_list_of_commands_says_in_whole_sentences_what_each_does(tmp_path: Path) -> None:
    listed = oasis_gan("--help", cwd=tmp_path).stdout.partition("Commands:")[2].partition("\n\n")[0]
    assert {"run", "train"} <= {line.split()[0] for line in listed.splitlines() if line}
    assert "..." not in listed
