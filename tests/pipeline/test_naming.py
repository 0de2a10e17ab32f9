"""Outputs carry the subject's name, fit any file system, and never take one another's place."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oasis_gan import OasisGanError, Scan, Subject, Volume
from oasis_gan.pipeline.naming import plan_names

SUFFIX = "_synth" + "T" * 27 + ".nii.gz"  # 40 bytes
NASTY = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a_b",
    "A",
    "a",
    "é",
    "e\u0301",
    "É",
    "ß",
    "SS",
    "\0",
    "a\nb",
    "\ud800",
    "\udce9",
]
NAMES = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=())),  # surrogates too
    st.text("aAäÄ./\u0308\u0345\u2028-", max_size=4),
    st.builds(
        lambda text, times: text * times,
        st.text("aäÄ\U0001f9e0", min_size=1, max_size=3),
        st.integers(50, 300),
    ),
)


def unread(path: Path) -> Volume:
    raise OasisGanError(path, expected="not to be read", found="a reader", remedy="none")


def subject(name: str, path: str) -> Subject:
    return Subject(name, Scan(Path(path), unread))


def output_names(subjects: list[Subject]) -> list[str]:
    return [naming.preferred for naming in plan_names(subjects)]


def named(names: list[str]) -> list[str]:
    """Return the output names of subjects that come from as many files."""
    return output_names([subject(name, f"/data/{number}.nii") for number, name in enumerate(names)])


@given(st.lists(NAMES, max_size=8))
@example(NASTY)
@example(["é", "e\u0301", "É", "E\u0301"])
@example(["\u0345\u0301", "\u0399\u0301", "\u03b9\u0301"])
@example(["x" * 400, "x" * 401, "X" * 402])
def test_no_two_outputs_share_a_file_on_any_file_system(names: list[str]) -> None:
    outputs = named(names)
    for form in ("NFC", "NFD"):
        as_stored = [
            unicodedata.normalize(form, unicodedata.normalize(form, name).casefold())
            for name in outputs
        ]
        assert len(set(as_stored)) == len(names)


@given(NAMES, st.booleans())
def test_an_output_is_one_visible_name_in_its_folder(name: str, shared: bool) -> None:
    for output in named([name] * (1 + shared)):
        file = f"{output}{SUFFIX}"
        assert len(file.encode()) <= 255
        assert not file.startswith(".")
        assert Path("out", file).parts == ("out", file)
        assert len(file.splitlines()) == 1
        assert not {unicodedata.category(c) for c in file} & {"Cc", "Cs"}


@given(st.lists(NAMES, min_size=1, max_size=8))
def test_any_name_can_be_a_file(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    folder = tmp_path_factory.mktemp("out")
    for output in named(names):
        (folder / f"{output}{SUFFIX}").touch(exist_ok=False)
    assert len(list(folder.iterdir())) == len(names)


@pytest.mark.parametrize(
    "name", ["sub-01", "sub 01", "-rf", "Ångström", "被験者1", "sub-01.T1w", "🧠"]
)
def test_an_ordinary_name_is_kept(name: str) -> None:
    assert named([name, "other"]) == [name, "other"]


def test_subjects_that_share_a_name_are_told_apart_by_the_nearest_folder_that_differs() -> None:
    paths = ["/data/a/anat/1.nii", "/data/b/anat/1.nii", "/data/c/anat/1.nii"]
    subjects = [
        subject(name, path) for name, path in zip(("sub", "sub", "SUB"), paths, strict=True)
    ]
    assert output_names(subjects) == ["a_sub", "b_sub", "c_SUB"]
    assert output_names(subjects[::-1]) == ["c_SUB", "b_sub", "a_sub"]
    assert output_names(subjects[:1]) == ["sub"]


def test_more_folders_are_named_where_one_is_not_enough() -> None:
    paths = ["/d/a/1/seg.nii", "/d/a/2/seg.nii", "/d/b/1/seg.nii"]
    assert output_names([subject("seg", path) for path in paths]) == [
        "a_1_seg",
        "a_2_seg",
        "b_1_seg",
    ]


def test_a_folder_does_not_make_a_name_that_another_subject_has() -> None:
    names = output_names(
        [subject("seg", "/a/seg.nii"), subject("seg", "/b/seg.nii"), subject("a_seg", "/c/x.nii")]
    )
    assert names[2] == "a_seg"
    assert len(set(names)) == 3


def test_names_from_other_commands_are_among_those_that_are_searched() -> None:
    here = subject("seg", "/x/a/seg.nii")
    there = subject("seg", "/x/b/seg.nii")
    alone = plan_names([here])[0]
    together = plan_names([here, there])[0]
    assert alone.preferred in together.all
    assert together.preferred in alone.all
    assert (alone.label(alone.preferred), together.label(together.preferred)) == ("seg", "a_seg")


def test_subjects_of_one_file_are_told_apart_by_their_names() -> None:
    path = "/data/cohort.h5"
    for names in (["T1", "t1"], ["x" * 300 + "1", "x" * 300 + "2"]):
        outputs = output_names([subject(name, path) for name in names])
        assert len({output.casefold() for output in outputs}) == 2
