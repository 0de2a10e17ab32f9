"""Folders are searched through links, each of them once, even if links form circles."""

from __future__ import annotations

import os
import time
from pathlib import Path, PurePath

import pytest

from oasis_gan import OasisGanError, unreadable, walk_files


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def listed(root: Path, **options: object) -> list[str]:
    return [str(path.relative_to(root)) for path in walk_files(root, **options)]  # type: ignore[arg-type]


def test_files_come_before_folders_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/2", "a/3", "a/1", "z", "a/c/d", "10", "2"):
        touch(tmp_path / name)
    assert listed(tmp_path) == ["10", "2", "z", "a/1", "a/3", "a/c/d", "b/2"]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    for name in (".git/annex/objects/x.nii", "._a.nii", "a.nii", "b/.cache/c.nii"):
        touch(tmp_path / name)
    assert listed(tmp_path) == ["a.nii"]


def test_a_hidden_folder_that_is_named_is_searched(tmp_path: Path) -> None:
    touch(tmp_path / ".store/a.nii")
    assert listed(tmp_path / ".store") == ["a.nii"]


def test_links_to_folders_are_followed_out_of_the_folder_and_into_hidden_ones(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "elsewhere/sub-01/a.nii")
    touch(tmp_path / "ds/.store/sub-02/b.nii")
    touch(tmp_path / "ds/sub-03/c.nii")
    (tmp_path / "ds/sub-01").symlink_to(tmp_path / "elsewhere/sub-01")
    (tmp_path / "ds/sub-02").symlink_to(".store/sub-02")
    assert listed(tmp_path / "ds") == ["sub-01/a.nii", "sub-02/b.nii", "sub-03/c.nii"]


def test_links_in_linked_folders_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "c/deep/a.nii")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/more").symlink_to(tmp_path / "c")
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds/link").symlink_to(tmp_path / "b")
    assert listed(tmp_path / "ds") == ["link/more/deep/a.nii"]


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    touch(tmp_path / "real/a.nii")
    (tmp_path / "real/loop").symlink_to(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert listed(tmp_path / "link") == ["a.nii"]


@pytest.mark.parametrize("link", ["a", "z"])
def test_a_folder_goes_by_its_own_name_and_not_by_that_of_a_link(tmp_path: Path, link: str) -> None:
    touch(tmp_path / "m/deep/x.nii")
    (tmp_path / link).symlink_to(tmp_path / "m/deep")
    assert listed(tmp_path) == ["m/deep/x.nii"]


def test_a_folder_with_two_links_is_searched_once(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere/x.nii")
    for name in ("a", "b"):
        (tmp_path / "ds").mkdir(exist_ok=True)
        (tmp_path / "ds" / name).symlink_to(tmp_path / "elsewhere")
    assert listed(tmp_path / "ds") == ["a/x.nii"]


def test_a_link_into_a_folder_that_is_not_entered_is_followed(tmp_path: Path) -> None:
    touch(tmp_path / "sourcedata/sub-01/x.nii")
    (tmp_path / "sub-01").symlink_to("sourcedata/sub-01")
    assert listed(tmp_path, enter=lambda folder: folder != PurePath("sourcedata")) == [
        "sub-01/x.nii"
    ]


@pytest.mark.parametrize("target", [".", "..", "../..", "inner"])
def test_links_in_circles_are_not_followed(tmp_path: Path, target: str) -> None:
    touch(tmp_path / "beside/y.nii")
    touch(tmp_path / "ds/inner/x.nii")
    (tmp_path / "ds/inner/loop").symlink_to(tmp_path / "ds" / target)
    (tmp_path / "ds/itself").symlink_to("itself")
    assert listed(tmp_path / "ds") == ["itself", "inner/x.nii"]


def test_a_circle_of_links_outside_the_folder_is_not_followed_forever(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        touch(tmp_path / one / "x.nii")
        (tmp_path / one / "next").symlink_to(tmp_path / other)
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds/start").symlink_to(tmp_path / "a")
    assert listed(tmp_path / "ds") == ["start/x.nii", "start/next/x.nii"]


def test_links_that_would_double_at_each_level_take_no_time(tmp_path: Path) -> None:
    """A tree in which each folder has ten links to the next has 10^30 paths, and 30 folders."""
    for level in range(30):
        folder = touch(tmp_path / f"levels/{level}/x.nii").parent
        for number in range(10):
            (folder / f"link{number}").symlink_to(tmp_path / f"levels/{level + 1}")
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds/start").symlink_to(tmp_path / "levels/0")
    began = time.process_time()
    assert (
        len(listed(tmp_path / "ds")) == 30 + 10
    )  # those of the last level lead nowhere, and are files
    assert time.process_time() - began < 5


def test_thousands_of_linked_folders_are_listed_in_seconds(tmp_path: Path) -> None:
    (tmp_path / "ds").mkdir()
    for number in range(2000):
        touch(tmp_path / f"store/{number}/x.nii")
        (tmp_path / f"ds/sub-{number:04}").symlink_to(tmp_path / f"store/{number}")
    began = time.process_time()
    assert len(listed(tmp_path / "ds")) == 2000
    assert time.process_time() - began < 5


def test_a_link_to_a_folder_that_is_not_there_is_named_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "ds/sub-01/a.nii")
    (tmp_path / "ds/sub-02").symlink_to(tmp_path / "unmounted/sub-02")
    (tmp_path / "ds/README").symlink_to(".git/annex/objects/x/y")
    (tmp_path / "ds/notes.txt").symlink_to("nowhere.txt")
    errors: list[OSError] = []
    assert "sub-01/a.nii" in listed(tmp_path / "ds", report=errors.append)
    (subject,) = [unreadable(tmp_path / "ds", error) for error in errors]
    assert subject.name == "sub-02"
    said = (
        r"sub-02: expected a folder, found a link that leads nowhere \(.*/unmounted/sub-02\); "
        "fetch the file"
    )
    with pytest.raises(OasisGanError, match=said):
        subject.source.read()


def test_a_folder_that_cannot_be_listed_is_named_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "z.nii")
    # Its path is longer than any system call takes, so that root cannot list it either.
    here = os.getcwd()  # noqa: PTH109
    try:
        os.chdir(tmp_path)
        for _ in range(20):
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    errors: list[OSError] = []
    assert listed(tmp_path, report=errors.append) == ["z.nii"]
    (error,) = errors
    subject = unreadable(tmp_path, error)
    assert subject.name.startswith("ddd")
    with pytest.raises(OSError, match="name too long"):
        subject.source.read()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    for name in ("a/x.nii", "b/y.nii"):
        touch(tmp_path / name)
    (tmp_path / "a").chmod(0)
    errors: list[OSError] = []
    assert listed(tmp_path, report=errors.append) == ["b/y.nii"]
    (tmp_path / "a").chmod(0o700)
    assert [unreadable(tmp_path, error).name for error in errors] == ["a"]
