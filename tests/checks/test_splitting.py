"""A person is on one side of a split, whatever the subjects and files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from oasis_gan import OasisGanError, Scan, Subject, Volume
from oasis_gan.checks.splitting import TABLE, compare, read_split, split, write_split


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
    assert [[one.name for one in side] for side in (sides.training, sides.held_out)] == [
        ["a"],
        ["b", "c"],
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sub-01_ses-1", "sub-01_ses-2"),
        ("OAS1_0001_MR1", "OAS1_0001_MR2"),
        ("site_sub-7_T1w", "sub-7"),
    ],
)
def test_two_sessions_of_a_person_are_on_one_side(one: str, other: str) -> None:
    with pytest.raises(OasisGanError, match="each person on one side"):
        split([subject(one)], [subject(other)])
    assert split([subject(one), subject(other)], []).training


def test_names_that_only_begin_alike_are_different_people() -> None:
    assert split([subject("sub-01")], [subject("sub-012")]).held_out


def test_a_subject_must_be_left_to_train_on() -> None:
    with pytest.raises(OasisGanError, match="a subject to train on"):
        split([], [subject("a")])


def test_one_file_under_two_names_is_on_one_side(tmp_path: Path) -> None:
    sides = split([subject("a", tmp_path, "same")], [subject("b", tmp_path, "same")])
    with pytest.raises(OasisGanError, match="a and b, which hold the same file"):
        write_split(tmp_path, sides)


def test_the_table_lists_the_side_of_each_subject(tmp_path: Path) -> None:
    sides = split([subject("a", tmp_path)], [subject("b\nc", tmp_path)])
    write_split(tmp_path, sides)
    rows = [line.split("\t") for line in (tmp_path / TABLE).read_text().splitlines()]
    assert [row[:2] for row in rows] == [["subject", "side"], ["a", "train"], ["b\\nc", "validate"]]
    assert [entry.subject for entry in read_split(tmp_path)] == ["a", "b\\nc"]


def listed(folder: Path, *names: str) -> list[tuple[Subject, str]]:
    return [(subject(name, folder, f"content of {name}"), "train") for name in names]


def test_subjects_are_the_same_by_name_and_content_wherever_they_lie_and_in_whatever_order(
    tmp_path: Path,
) -> None:
    old = tmp_path / "old"
    new = tmp_path / "new"
    old.mkdir()
    new.mkdir()
    write_split(tmp_path, split([one for one, _ in listed(old, "b", "a")], []))
    found = compare(read_split(tmp_path), listed(new, "a", "b"))
    found.require_same((), tmp_path / TABLE)
    assert [one.source.path for one in found.split.training] == [new / "b", new / "a"]


def test_missing_changed_and_new_subjects_are_named(tmp_path: Path) -> None:
    write_split(tmp_path, split([one for one, _ in listed(tmp_path, "a", "b", "c", "d")], []))
    there = listed(tmp_path, "a", "c", "e")
    (tmp_path / "c").write_text("changed")
    with pytest.raises(OasisGanError) as caught:
        compare(read_split(tmp_path), there).require_same(["c", "e"], tmp_path / TABLE)
    assert "found b, d missing; c changed; e added; put them back as they were" in str(caught.value)


def test_a_subject_on_another_side_counts_as_changed(tmp_path: Path) -> None:
    write_split(tmp_path, split([one for one, _ in listed(tmp_path, "a", "b")], []))
    moved = [(one, "validate") for one, _ in listed(tmp_path, "b")]
    with pytest.raises(OasisGanError, match="found b changed;"):
        compare(read_split(tmp_path), listed(tmp_path, "a") + moved).require_same(
            ["b"], tmp_path / TABLE
        )


def test_the_voxels_of_a_pair_are_compared_too(tmp_path: Path) -> None:
    header = tmp_path / "a.hdr"
    voxels = tmp_path / "a.img"
    header.write_text("header")
    voxels.write_text("voxels")
    pair = Subject("a", Scan(header, unread, parts=(voxels,)))
    write_split(tmp_path, split([pair], []))
    compare(read_split(tmp_path), [(pair, "train")]).require_same((), tmp_path)
    voxels.write_text("others")
    with pytest.raises(OasisGanError, match="found a changed;"):
        compare(read_split(tmp_path), [(pair, "train")]).require_same(["a"], tmp_path)


def test_subjects_of_one_archive_may_be_on_both_sides(tmp_path: Path) -> None:
    archive = tmp_path / "all.ZIP"
    archive.write_text("many")
    sides = split([Subject("a", Scan(archive, unread))], [Subject("b", Scan(archive, unread))])
    write_split(tmp_path, sides)
    assert len(read_split(tmp_path)) == 2


@pytest.mark.parametrize("content", ["", "a\tb\n", "subject\tside\n"])
def test_a_damaged_table_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / TABLE).write_text(content)
    with pytest.raises(
        OasisGanError, match=r"split\.tsv: expected a table of subject, side, source"
    ):
        read_split(tmp_path)
