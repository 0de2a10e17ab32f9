"""An output is complete or absent, names no patient, and equal volumes give equal files."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from oasis_gan_nifti import write_nifti

from oasis_gan import Geometry, OasisGanError, Volume, read_nifti, write_atomically

VOXELS: NDArray[np.float32] = np.random.default_rng(0).normal(0, 100, (8, 9, 10)).astype(np.float32)
NAMES = ("out.nii.gz", "out.nii")


def volume(voxels: NDArray[Any] = VOXELS) -> Volume:
    i, j, k = voxels.shape
    return Volume(voxels, Geometry((i, j, k), np.diag([1.0, 1.5, 2.0, 1.0])))


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


# The file


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    write_nifti(volume(), tmp_path / name)
    there = read_nifti(tmp_path / name)
    assert np.array_equal(there.voxels, VOXELS)
    assert np.allclose(there.geometry.affine, volume().geometry.affine)
    assert (tmp_path / name).read_bytes().startswith(b"\x1f\x8b") is name.endswith(".gz")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_voxels_keep_their_datatype_and_are_never_scaled(tmp_path: Path, dtype: Any) -> None:  # noqa: ANN401
    voxels = np.arange(24).reshape(2, 3, 4).astype(dtype)
    write_nifti(volume(voxels), tmp_path / "out.nii")
    # From the bytes: a header that nibabel has loaded with its image no longer says what is stored.
    header = nib.Nifti1Header((tmp_path / "out.nii").read_bytes()[:348])
    assert header.get_data_dtype() == np.dtype(dtype)
    assert (float(header["scl_slope"]), float(header["scl_inter"])) == (1, 0)
    assert np.array_equal(read_nifti(tmp_path / "out.nii").voxels, voxels)


@pytest.mark.parametrize("layout", ["C", "F", "view"])
def test_the_memory_layout_of_an_array_does_not_matter(tmp_path: Path, layout: str) -> None:
    layouts = {
        "C": np.ascontiguousarray(VOXELS),
        "F": np.asfortranarray(VOXELS),
        "view": VOXELS[::-1].copy()[::-1],
    }
    write_nifti(volume(layouts[layout]), tmp_path / "out.nii")
    assert np.array_equal(nib.Nifti1Image.from_filename(tmp_path / "out.nii").get_fdata(), VOXELS)


@pytest.mark.parametrize("name", NAMES)
def test_equal_volumes_are_equal_files_at_any_time_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_nifti(volume(), tmp_path / name)
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    write_nifti(volume(VOXELS.copy()), tmp_path / f"other_{name}")
    assert (tmp_path / name).read_bytes() == (tmp_path / f"other_{name}").read_bytes()


def test_nothing_that_could_name_a_patient_is_carried_over(tmp_path: Path) -> None:
    image = nib.Nifti1Image(VOXELS, np.eye(4))
    for field in ("descrip", "aux_file", "intent_name", "db_name", "data_type"):
        image.header[field] = b"JaneDoe"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"JaneDoe was here"))
    nib.save(image, tmp_path / "source.nii.gz")
    write_nifti(read_nifti(tmp_path / "source.nii.gz"), tmp_path / "out.nii.gz")
    data = gzip.decompress((tmp_path / "out.nii.gz").read_bytes())
    assert b"Jane" in gzip.decompress((tmp_path / "source.nii.gz").read_bytes())
    assert b"Jane" not in data
    assert len(data) == 352 + VOXELS.nbytes


@pytest.mark.parametrize("name", NAMES)
def test_the_header_says_that_the_volume_is_synthetic(tmp_path: Path, name: str) -> None:
    write_nifti(volume(), tmp_path / name)
    image = nib.Nifti1Image.from_filename(tmp_path / name)
    assert image.header["descrip"] == b"oasis-gan synthetic"
    itk = sitk.ReadImage(str(tmp_path / name))
    assert itk.GetMetaData("descrip") == "oasis-gan synthetic"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    voxels = VOXELS.copy()
    voxels[1, 2, 3] = value
    with pytest.raises(
        OasisGanError, match=r"out\.nii\.gz: expected finite voxels, found NaN or Inf"
    ):
        write_nifti(volume(voxels), tmp_path / "out.nii.gz")
    assert not any(tmp_path.iterdir())


@pytest.mark.usefixtures("umask")
def test_the_umask_is_respected(tmp_path: Path) -> None:
    write_nifti(volume(), tmp_path / "out.nii.gz")
    assert (tmp_path / "out.nii.gz").stat().st_mode & 0o777 == 0o640


# Whole or not at all


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("old", [None, b"the old file"])
def test_a_full_disk_is_an_error_and_leaves_the_old_file(
    tmp_path: Path, name: str, old: bytes | None
) -> None:
    path = tmp_path / name
    if old is not None:
        path.write_bytes(old)
    code = """
        import resource, signal, sys
        from pathlib import Path
        import numpy as np
        from oasis_gan import Geometry, Volume
        from oasis_gan_nifti import write_nifti
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        voxels = np.random.default_rng(0).normal(size=(20, 20, 20))
        try:
            write_nifti(Volume(voxels, Geometry(voxels.shape, np.eye(4))), Path(sys.argv[1]))
        except OSError as error:
            print(error.strerror)
    """
    process = python(code, path)
    assert process.communicate(timeout=60)[0] == "File too large\n"
    assert process.returncode == 0
    assert [(there.name, there.read_bytes()) for there in tmp_path.iterdir()] == (
        [] if old is None else [(name, old)]
    )


def test_a_killed_process_leaves_no_partial_file_under_the_final_name(tmp_path: Path) -> None:
    path = tmp_path / "out.nii.gz"
    size = 2_000_000
    code = """
        import sys
        from pathlib import Path
        from oasis_gan import write_atomically
        while True:
            for letter in (b"a", b"b"):
                write_atomically(Path(sys.argv[1]), letter * int(sys.argv[2]))
                print(flush=True)
    """
    for delay in (0.0, 0.004, 0.011):
        process = python(code, path, size)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert path.read_bytes() in (b"a" * size, b"b" * size)


@pytest.mark.parametrize("step", ["fsync", "read_bytes", "replace"])
def test_a_failure_at_any_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    path = tmp_path / "out.nii.gz"
    write_atomically(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os if step == "fsync" else Path, step, fail)
        with pytest.raises(OSError, match="Input/output error"):
            write_atomically(path, b"new")
    assert [there.name for there in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


def test_an_interruption_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "out.nii.gz", b"new")
    assert not any(tmp_path.iterdir())


def test_a_disk_that_returns_other_bytes_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"ne")
    with pytest.raises(
        OasisGanError,
        match="expected the bytes that were written, found other bytes; check the disk",
    ):
        write_atomically(tmp_path / "out.nii.gz", b"new")
    assert not any(tmp_path.iterdir())


def test_a_folder_under_the_final_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out.nii.gz").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_nifti(volume(), tmp_path / "out.nii.gz")
    assert [there.name for there in tmp_path.iterdir()] == ["out.nii.gz"]


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_nifti(volume(), tmp_path / "no" / "out.nii.gz")


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    write_atomically(tmp_path / "out", b"old and long")
    write_atomically(tmp_path / "out", b"new")
    assert (tmp_path / "out").read_bytes() == b"new"
