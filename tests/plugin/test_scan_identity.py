"""A scan has an identity that only scans with the same volume share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from kit.another_process import run_elsewhere

from oasis_gan import FREESURFER, OASIS, Geometry, Scan, Volume, identify_scan, read_nifti


def read(path: Path, details: object = None) -> Volume:
    """Return an empty volume; nobody reads a scan to identify it."""
    return Volume(np.zeros((1, 1, 1)), Geometry((1, 1, 1), np.eye(4)))


def read_otherwise(path: Path) -> Volume:
    return read(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(b"voxels")
    return path


def test_equal_scans_have_one_identity_in_every_process(file: Path) -> None:
    scan = Scan(file, partial(read_nifti, max_voxels=10**6), OASIS)
    body = "from oasis_gan import identify_scan\nanswer = identify_scan(value)"
    assert identify_scan(scan) == run_elsewhere(body, scan, file.parent)


def test_equal_arguments_of_a_reader_count_as_one(file: Path) -> None:
    name = "a.png"
    shared = {"first": name, "last": name}
    apart = {"first": "a.png", "last": "".join(["a.", "png"])}
    files = {1: (PurePosixPath(name),)}
    expected = identify_scan(Scan(file, partial(read, details=(shared, files))))
    assert expected == identify_scan(Scan(file, partial(read, details=(apart, dict(files)))))
    assert expected is not None


def test_a_file_may_be_renamed(file: Path) -> None:
    before = identify_scan(Scan(file, read))
    after = identify_scan(Scan(file.rename(file.with_name("b.bin")), read))
    assert before == after is not None


def test_a_relative_path_in_the_reader_counts_as_the_absolute_one(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absolute = identify_scan(Scan(file, partial(read, details=file)))
    monkeypatch.chdir(file.parent)
    assert identify_scan(Scan(file, partial(read, details=Path(file.name)))) == absolute


def rewrite(file: Path) -> Scan:
    file.write_bytes(b"VOXELS")
    return Scan(file, read)


def add_part(file: Path) -> Scan:
    part = file.with_name("part.bin")
    part.write_bytes(b"more voxels")
    return Scan(file, read, parts=(part,))


CHANGES: dict[str, Callable[[Path], Scan]] = {
    "the content of its file": rewrite,
    "a further file": add_part,
    "its reader": lambda file: Scan(file, read_otherwise),
    "an argument of its reader": lambda file: Scan(file, partial(read, details=2.0)),
    "its labels": lambda file: Scan(file, read, OASIS),
    "the labels that it is converted to": lambda file: Scan(file, read).in_labels(FREESURFER),
    "its content": lambda file: Scan(file, read).with_content("image"),
}


@pytest.mark.parametrize("changed", CHANGES)
def test_another_identity_comes_with_another_volume(file: Path, changed: str) -> None:
    before = identify_scan(Scan(file, read))
    assert identify_scan(CHANGES[changed](file)) not in {before, None}


def test_a_reader_that_no_other_process_would_find_has_none(file: Path) -> None:
    assert identify_scan(Scan(file, lambda path: read(path))) is None


def test_a_file_that_is_missing_has_none(tmp_path: Path) -> None:
    assert identify_scan(Scan(tmp_path / "none", read)) is None


def test_the_names_of_files_in_a_folder_count_for_nothing_but_their_order(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "1.png").write_bytes(b"first")
    (tmp_path / "one" / "2.png").write_bytes(b"second")
    before = identify_scan(Scan(tmp_path / "one", read))
    (tmp_path / "one" / "1.png").rename(tmp_path / "one" / "3.png")
    assert identify_scan(Scan(tmp_path / "one", read)) not in {before, None}
