"""A finished subject is recognised by the state of its files, and a change of one is noticed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from oasis_gan.pipeline.fingerprints import describe_source_files, make_fingerprint

OLD = 3600  # seconds


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Return a volume and its sidecar."""
    paths = [tmp_path / "a.nii.gz", tmp_path / "a.json"]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_the_fingerprint_stays_while_nothing_changes(files: list[Path]) -> None:
    record = {"source": "a"}
    assert make_fingerprint(record, files, ()) == make_fingerprint(record, files, ("a.json",)) != ""


@pytest.mark.parametrize("index", [0, 1])
def test_a_file_that_is_written_changes_the_fingerprint(files: list[Path], index: int) -> None:
    before = make_fingerprint({}, files, ())
    files[index].write_text("other")
    assert make_fingerprint({}, files, ()) != before


def test_another_source_or_option_changes_the_fingerprint(files: list[Path]) -> None:
    assert make_fingerprint({"a": 1}, files, ()) != make_fingerprint({"a": 2}, files, ())


def test_there_is_none_where_the_state_of_files_does_not_tell(files: list[Path]) -> None:
    assert make_fingerprint(None, files, ()) == ""
    assert make_fingerprint({}, files, ("of-a-plugin.bvec",)) == ""
    files[0].unlink()
    assert make_fingerprint({}, files, ()) == ""
    files[0].mkdir()
    assert make_fingerprint({}, files, ()) == ""


def test_a_source_that_has_just_changed_has_no_state_yet(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert describe_source_files(files) is None
    later = time.time_ns() + OLD * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert describe_source_files(files) is not None


def test_a_source_that_gets_its_old_time_back_is_noticed(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    later = time.time_ns() + OLD * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    before = describe_source_files(files)
    status = files[0].stat()
    time.sleep(0.05)
    files[0].write_text("A.nii.gz")
    os.utime(files[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert describe_source_files(files) != before
