"""subjects.tsv says what became of each subject, one line each, across runs."""

from __future__ import annotations

import resource
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oasis_gan.errors import printable
from oasis_gan.pipeline.ledger import Ledger, Outcome, Status, read_rows

NAME = "subjects.tsv"
HEADER = "subject\tstatus\toutput\tmessage\tseconds\ttag\tfingerprint"
TEXT = st.text(
    st.characters(exclude_categories=())
)  # control characters, line separators and surrogates too
OUTCOMES = st.builds(Outcome, TEXT, st.sampled_from(Status), st.none() | TEXT.map(Path), TEXT)


def done(subject: str, message: str = "") -> Outcome:
    return Outcome(subject, Status.DONE, Path(f"out/{subject}.nii.gz"), message)


def write_ledger(folder: Path, outcomes: Iterable[Outcome]) -> None:
    """Write outcomes as one run does."""
    ledger = Ledger(folder / NAME)
    for outcome in outcomes:
        ledger.add(outcome)
    ledger.write()


def rows(folder: Path) -> list[str]:
    header, *rows = (folder / NAME).read_text("utf-8").splitlines()
    assert header == HEADER
    return rows


def test_a_row_names_subject_status_output_and_message(tmp_path: Path) -> None:
    write_ledger(
        tmp_path, [done("sub-01", "a note"), Outcome("sub-02", Status.FAILED, None, "no such file")]
    )
    assert rows(tmp_path) == [
        "sub-01\tdone\tsub-01.nii.gz\ta note\t0.00\t\t",
        "sub-02\tfailed\t\tno such file\t\t\t",
    ]


@given(outcomes=st.lists(OUTCOMES, max_size=5, unique_by=lambda outcome: printable(outcome.output)))
def test_every_outcome_is_one_line_of_seven_cells_whatever_its_name(
    tmp_path_factory: pytest.TempPathFactory, outcomes: list[Outcome]
) -> None:
    folder = tmp_path_factory.mktemp("out")
    write_ledger(folder, outcomes)
    assert len(rows(folder)) == len(outcomes)
    assert all(len(row.split("\t")) == 7 for row in rows(folder))
    write_ledger(folder, [])
    assert len(rows(folder)) == len(outcomes)


def test_rows_of_earlier_runs_stay(tmp_path: Path) -> None:
    write_ledger(tmp_path, [done("a"), done("b\nb")])
    write_ledger(tmp_path, [done("c")])
    assert [row.split("\t")[0] for row in rows(tmp_path)] == ["a", r"b\nb", "c"]


def test_a_subject_that_is_run_again_has_its_latest_row(tmp_path: Path) -> None:
    write_ledger(tmp_path, [Outcome("a", Status.FAILED, None, "disk full"), done("b")])
    write_ledger(tmp_path, [done("a", "this time")])
    assert sorted(rows(tmp_path)) == [
        "a\tdone\ta.nii.gz\tthis time\t0.00\t\t",
        "b\tdone\tb.nii.gz\t\t0.00\t\t",
    ]


def test_a_row_of_an_output_that_was_taken_for_a_source_goes(tmp_path: Path) -> None:
    """Earlier versions met their own outputs where the output folder lies among the sources."""
    made = Outcome("a_seg", Status.DONE, Path("out/a_seg_synthT1w.nii.gz"), "")
    mistaken = Outcome(
        "data_out_a_seg_synthT1w", Status.FAILED, None, "expected labels, found 42.6"
    )
    failed = [
        Outcome(name, Status.FAILED, None, "")
        for name in ("b_seg", "b_seg_synthT1w", "xa_seg_synthT1w")
    ]
    write_ledger(tmp_path, [made, mistaken, *failed])
    write_ledger(tmp_path, [made])
    assert sorted(row.split("\t")[0] for row in rows(tmp_path)) == [
        "a_seg",
        "b_seg",
        "b_seg_synthT1w",
        "xa_seg_synthT1w",
    ]


def test_subjects_of_one_name_have_a_row_each(tmp_path: Path) -> None:
    write_ledger(
        tmp_path, [done("sub-01", "of site 1"), Outcome("sub-01", Status.FAILED, None, "of site 2")]
    )
    assert [row.split("\t")[3] for row in rows(tmp_path)] == ["of site 1", "of site 2"]


@pytest.mark.parametrize("foreign", [b"", b"something else\n1\t2\n", b"\xff\xfe\0"])
def test_a_table_of_another_tool_is_replaced(tmp_path: Path, foreign: bytes) -> None:
    (tmp_path / NAME).write_bytes(foreign)
    write_ledger(tmp_path, [done("a")])
    assert len(rows(tmp_path)) == 1


def test_on_a_full_disk_the_table_stays_as_it_was_and_takes_the_row_later(tmp_path: Path) -> None:
    write_ledger(tmp_path, [done("a")])
    before = (tmp_path / NAME).read_bytes()
    ledger = Ledger(tmp_path / NAME)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A few bytes of the row fit.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
    try:
        with pytest.raises(OSError, match=NAME):
            ledger.add(done("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / NAME).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    ledger.write()
    assert [row.split("\t")[0] for row in rows(tmp_path)] == ["a", "b"]


def test_a_row_that_was_cut_short_is_dropped(tmp_path: Path) -> None:
    write_ledger(tmp_path, [done("a"), done("b")])
    whole = (tmp_path / NAME).read_bytes()
    for cut in range(1, len(done("b").row(tmp_path).format()) - 2):
        (tmp_path / NAME).write_bytes(whole[:-cut])
        Ledger(tmp_path / NAME).add(done("c"))
        write_ledger(tmp_path, [])
        # Without its line end, the row is complete.
        assert [row[0] for row in rows(tmp_path)] == (["a", "b", "c"] if cut == 1 else ["a", "c"])


def test_a_table_of_an_earlier_version_keeps_its_rows(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("subject\tstatus\toutput\tmessage\nb\tdone\tb.nii.gz\ta note\n")
    write_ledger(tmp_path, [done("a")])
    assert rows(tmp_path) == ["b\tdone\tb.nii.gz\ta note\t\t\t", "a\tdone\ta.nii.gz\t\t0.00\t\t"]


def test_a_subject_that_is_skipped_keeps_its_row(tmp_path: Path) -> None:
    write_ledger(tmp_path, [replace(done("a", "a note"), tag="1234", fingerprint="old")])
    skipped = Outcome("a", Status.SKIPPED, Path("out/a.nii.gz"), "already there", tag="1234")
    write_ledger(tmp_path, [replace(skipped, fingerprint="new")])
    assert rows(tmp_path) == ["a\tdone\ta.nii.gz\ta note\t0.00\t1234\tnew"]


def test_adding_a_row_costs_the_same_in_a_long_table(tmp_path: Path) -> None:
    write_ledger(tmp_path, [done("first")])
    with (tmp_path / NAME).open("a") as file:
        file.writelines(f"s{number}\tdone\t\t\t1.00\t\t\n" for number in range(1000))
    ledger = Ledger(tmp_path / NAME)
    before = (tmp_path / NAME).stat()
    ledger.add(done("last"))
    after = (tmp_path / NAME).stat()
    # Appended, not written again.
    assert after.st_ino == before.st_ino
    assert after.st_size - before.st_size == len(done("last").row(tmp_path).format()) + 1


def test_two_runs_on_one_subject_leave_the_last_row(tmp_path: Path) -> None:
    write_ledger(tmp_path, [])
    runs = [Ledger(tmp_path / NAME) for _ in range(2)]
    runs[0].add(replace(done("a"), tag="1234"))
    runs[1].add(Outcome("a", Status.FAILED, None, "found one with another plane", tag="1234"))
    for run in runs:
        run.write()
        assert [row.split("\t")[1] for row in rows(tmp_path)] == ["failed"]


def test_the_last_row_of_a_subject_counts_after_a_run_was_killed(tmp_path: Path) -> None:
    write_ledger(tmp_path, [Outcome("a", Status.FAILED, None, "no space left", tag="1234")])
    # Appended, and never settled by `write`.
    Ledger(tmp_path / NAME).add(replace(done("a"), tag="1234"))
    assert [row.status for row in read_rows(tmp_path / NAME)] == [Status.DONE]
