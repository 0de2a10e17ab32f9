"""The precision of a run is float32 unless another is requested, and is recorded.

TensorFlow chooses its instructions when it is imported, so a process stands for each machine.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.places import EXAMPLES
from kit.processors import EMULATED, UNDECIDED, WITHOUT_BFLOAT16
from kit.tool import Painting, oasis_gan
from numpy.typing import NDArray
from oasis_gan_keras.hardware import (
    ChosenPrecision,
    Precision,
    choose_precision,
    find_convolution_failure,
)

from oasis_gan import Computation, OasisGanError
from oasis_gan.plugin.models import computation_of

SAMPLE = EXAMPLES / "mni152_seg.nii.gz"
PROCESSORS: dict[str, dict[str, str]] = {
    "default": {},
    "Eigen": EMULATED,
    "AVX2": WITHOUT_BFLOAT16,
    "SSE41": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "SSE41"},
}
FALLBACK = (
    "precision: computing in float32, because a convolution in bfloat16 fails on this machine ("
)


def translate(
    source: Path, out: Path, precision: str | None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Translate a label map with the shipped model in an environment that stands for a machine."""
    words = () if precision is None else ("--precision", precision)
    done = oasis_gan(
        "run", source, "--out", out, *words, cwd=out.parent, env={**UNDECIDED, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done


def read_voxels(out: Path) -> NDArray[np.float64]:
    """Return the only volume in a folder."""
    (path,) = out.glob("*.nii.gz")
    image = nib.load(path)
    assert isinstance(image, nib.Nifti1Image)
    return np.asarray(image.get_fdata(), np.float64)


def read_sidecar(out: Path) -> dict[str, Any]:
    """Return the sidecar of the only volume in a folder."""
    (path,) = out.glob("*.json")
    return dict(json.loads(path.read_text()))


def find_psnr(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the peak signal-to-noise ratio of two volumes, in dB."""
    error = np.square(one - other).mean()
    return float(np.inf if error == 0 else 10 * np.log10(other.max() ** 2 / error))


@pytest.fixture(scope="module")
def in_float32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Translate the sample head on every processor."""
    folder = tmp_path_factory.mktemp("float32")
    for name, environment in PROCESSORS.items():
        translate(SAMPLE, folder / name, "float32", **environment)
    return folder


@pytest.fixture
def seg(tmp_path: Path) -> Path:
    """Save a small label map."""
    labels = np.random.default_rng(0).integers(0, 4, (12, 10, 8), np.uint8)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "seg.nii.gz")
    return tmp_path / "seg.nii.gz"


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PROCESSORS, 2)))
def test_float32_is_the_same_on_every_processor_to_120_db(
    in_float32: Path, one: str, other: str
) -> None:
    assert find_psnr(read_voxels(in_float32 / one), read_voxels(in_float32 / other)) >= 120


def test_the_processors_of_these_tests_are_different_ones(in_float32: Path) -> None:
    """Otherwise the bounds between them would prove nothing."""
    assert (read_voxels(in_float32 / "Eigen") != read_voxels(in_float32 / "SSE41")).any()


@pytest.mark.parametrize("environment", [{}, EMULATED], ids=["here", "emulated"])
def test_bfloat16_is_within_50_db_of_float32(
    in_float32: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    if not environment and find_convolution_failure("bfloat16"):
        pytest.skip("this machine has no bfloat16, or it is turned off")
    translate(SAMPLE, tmp_path / "out", "bfloat16", **environment)
    assert read_sidecar(tmp_path / "out")["precision"] == "bfloat16"
    difference = find_psnr(read_voxels(tmp_path / "out"), read_voxels(in_float32 / "default"))
    # An upper bound shows that it is not float32.
    assert 50 <= difference < 100


def test_one_thread_gives_the_same_bytes_as_all_of_them_in_float32(
    in_float32: Path, tmp_path: Path
) -> None:
    words = ("run", SAMPLE, "--out", "out")
    processor = min(os.sched_getaffinity(0))
    done = oasis_gan(
        *words, cwd=tmp_path, env=UNDECIDED, preexec_fn=lambda: os.sched_setaffinity(0, {processor})
    )
    assert done.returncode == 0, done.stderr
    assert read_sidecar(tmp_path / "out")["computation"]["threads"] == 1
    assert (
        read_sidecar(tmp_path / "out")["volume"] == read_sidecar(in_float32 / "default")["volume"]
    )


def test_a_run_computes_in_float32_unless_another_precision_is_requested(
    seg: Path, tmp_path: Path
) -> None:
    translate(seg, tmp_path / "default", None)
    translate(seg, tmp_path / "float32", "float32")
    assert read_sidecar(tmp_path / "default")["precision"] == "float32"
    assert read_sidecar(tmp_path / "default") == read_sidecar(tmp_path / "float32")


def test_a_machine_without_bfloat16_says_so_in_one_line_and_computes_in_float32(
    in_float32: Path, tmp_path: Path
) -> None:
    done = translate(SAMPLE, tmp_path / "out", "bfloat16", **WITHOUT_BFLOAT16)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("precision")]
    assert line.startswith(FALLBACK)
    assert read_sidecar(tmp_path / "out") == read_sidecar(in_float32 / "AVX2")


@pytest.mark.parametrize(
    ("listed", "environment", "precision", "has_note"),
    [
        ("avx512_bf16", WITHOUT_BFLOAT16, "float32", True),
        # Only oneDNN uses these instructions.
        ("avx512_bf16", EMULATED, "float32", False),
        ("avx2", {}, "float32", False),
    ],
)
def test_auto_takes_bfloat16_only_where_it_is_listed_and_works(
    listed: str, environment: dict[str, str], precision: str, has_note: bool
) -> None:
    code = (
        "from oasis_gan_keras import hardware\n"
        f"hardware.read_processor_flags = lambda: {{{listed!r}}}\n"
        "chosen = hardware.choose_precision('auto')\n"
        "print(chosen.precision, bool(chosen.note))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**UNDECIDED, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{precision} {has_note}\n"


def test_auto_takes_bfloat16_where_it_is_listed_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oasis_gan_keras.hardware.find_fast_precision", lambda: "bfloat16")
    monkeypatch.setattr("oasis_gan_keras.hardware.find_convolution_failure", lambda precision: "")
    assert choose_precision("auto") == ChosenPrecision("bfloat16")


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_precision_that_works_everywhere_is_used_without_a_note(precision: Precision) -> None:
    assert find_convolution_failure(precision) == ""
    assert choose_precision(precision) == ChosenPrecision(precision)


# Sidecars


def test_the_sidecar_says_what_computed_the_volume(seg: Path, tmp_path: Path) -> None:
    translate(seg, tmp_path / "out", None)
    computation = read_sidecar(tmp_path / "out")["computation"]
    assert set(computation["software"]) == {"tensorflow", "keras"}
    assert computation["threads"] >= 1


def test_an_output_of_another_precision_is_not_already_there(seg: Path, tmp_path: Path) -> None:
    translate(seg, tmp_path / "out", "float32", **EMULATED)
    words = ("run", seg, "--out", "out", "--precision", "bfloat16")
    done = oasis_gan(*words, cwd=tmp_path, env={**UNDECIDED, **EMULATED})
    assert done.returncode == 1
    assert "found one with another precision; use --overwrite, or another --out" in done.stderr
    assert read_sidecar(tmp_path / "out")["precision"] == "float32"


def test_an_output_of_other_versions_and_threads_is_already_there(
    seg: Path, tmp_path: Path
) -> None:
    translate(seg, tmp_path / "out", None)
    (path,) = (tmp_path / "out").glob("*.json")
    sidecar = read_sidecar(tmp_path / "out")
    sidecar["computation"] = {"software": {"tensorflow": "1.0", "keras": "1.0"}, "threads": 99}
    path.write_text(json.dumps(sidecar))
    done = translate(seg, tmp_path / "out", None)
    assert "already there" in done.stderr


def test_the_contrast_of_a_reference_leaves_the_precision_on_record(
    seg: Path, tmp_path: Path
) -> None:
    words = ("--like", SAMPLE.with_name("mni152_t1.nii.gz"), "--precision", "bfloat16")
    done = oasis_gan(
        "run", seg, "--out", "out", *words, cwd=tmp_path, env={**UNDECIDED, **EMULATED}
    )
    assert done.returncode == 0, done.stderr
    assert read_sidecar(tmp_path / "out")["precision"] == "bfloat16"


# Models without a choice of precision, and models that report it wrongly


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
def test_a_model_without_a_choice_of_precision_says_so_in_one_line(
    seg: Path, tmp_path: Path, paint: Painting, precision: str
) -> None:
    done = paint(seg, "--precision", precision)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert (
        "--precision: expected an option of paint (plane), found precision; leave it out"
        in done.stderr
    )
    assert not (tmp_path / "out").exists()


def test_a_model_without_a_choice_of_precision_works_in_silence(
    seg: Path, tmp_path: Path, paint: Painting
) -> None:
    done = paint(seg)
    assert done.returncode == 0
    assert "precision" not in done.stderr
    assert read_sidecar(tmp_path / "out")["precision"] is None
    assert read_sidecar(tmp_path / "out")["computation"] is None


class ReportingTranslator:
    """A translator that reports how it computes."""

    def __init__(self, computation: object) -> None:
        self.computation = computation


def test_a_model_reports_how_it_computes_as_a_computation() -> None:
    computation = Computation("float32", {"numpy": "2"}, threads=1)
    assert computation_of(ReportingTranslator(computation)) is computation  # type: ignore[arg-type]
    with pytest.raises(
        OasisGanError,
        match="ReportingTranslator: expected a Computation, found dict; fix the model plugin",
    ):
        computation_of(ReportingTranslator({"precision": "float32"}))  # type: ignore[arg-type]
