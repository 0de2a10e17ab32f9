"""A person is on one side of a split, whatever the subjects and files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from oasis_gan import OasisGanError, Scan, Subject, Volume
from oasis_gan.splitting import TABLE, split, write_split


def unread(path: Path) -> Volume:
    raise AssertionError(f"{path} was read")


def subject(name: str, folder: Path | None = None, content: str = "") -> Subject:
    if folder is None:
        return Subject(name, Scan(Path(name), unread))
    path = folder / name
    path.write_text(content or name)
    return Subject(name, Scan(path, unread))


def test_sides_are_kept_as_they_are_given() -> None:
    sides = split([subject("a")], [subject("b"), subject("c")])
    assert [[one.name for one in side] for side in (sides.learnt, sides.held_out)] == [["a"], ["b", "c"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [("sub-01_ses-1", "sub-01_ses-2"), ("OAS1_0001_MR1", "OAS1_0001_MR2"), ("site_sub-7_T1w", "sub-7")],
)
def test_two_sessions_of_a_person_are_on_one_side(one: str, other: str) -> None:
    with pytest.raises(OasisGanError, match="each person on one side"):
        split([subject(one)], [subject(other)])
    assert split([subject(one), subject(other)], []).learnt


def test_names_that_only_begin_alike_are_different_people() -> None:
    assert split([subject("sub-01")], [subject("sub-012")]).held_out


def test_somebody_must_be_left_to_learn_from() -> None:
    with pytest.raises(OasisGanError, match="someone to learn from"):
        split([], [subject("a")])


def test_one_file_under_two_names_is_on_one_side(tmp_path: Path) -> None:
    sides = split([subject("a", tmp_path, "same")], [subject("b", tmp_path, "same")])
    with pytest.raises(OasisGanError, match="a and b, which hold the same file"):
        write_split(tmp_path / "out", sides)


def test_the_list_says_who_is_where_and_tells_changed_files(tmp_path: Path) -> None:
    sides = split([subject("a", tmp_path)], [subject("b\nc", tmp_path)])
    write_split(tmp_path / "out", sides)
    rows = [line.split("\t") for line in (tmp_path / "out" / TABLE).read_text().splitlines()]
    assert [row[:2] for row in rows] == [["subject", "side"], ["a", "train"], ["b\\nc", "validate"]]
    # The same again is no offence; another file of the same name is.
    write_split(tmp_path / "out", sides)
    (tmp_path / "a").write_text("changed")
    with pytest.raises(OasisGanError, match="the subjects this run began with"):
        write_split(tmp_path / "out", sides)
