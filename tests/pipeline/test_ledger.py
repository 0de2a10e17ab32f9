"""subjects.tsv says what became of each subject, one line each, across runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oasis_gan.pipeline.ledger import Ledger, Outcome, Status

NAME = "subjects.tsv"
HEADER = "subject\tstatus\toutput\tmessage"
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
        "sub-01\tdone\tsub-01.nii.gz\ta note",
        "sub-02\tfailed\t\tno such file",
    ]


@given(outcomes=st.lists(OUTCOMES, max_size=5))
def test_every_outcome_is_one_line_of_four_cells_whatever_its_name(
    tmp_path_factory: pytest.TempPathFactory, outcomes: list[Outcome]
) -> None:
    folder = tmp_path_factory.mktemp("out")
    write_ledger(folder, outcomes)
    assert len(rows(folder)) == len(outcomes)
    assert all(len(row.split("\t")) == 4 for row in rows(folder))
    write_ledger(folder, [])
    assert len(rows(folder)) == len(outcomes)


def test_rows_of_earlier_runs_stay(tmp_path: Path) -> None:
    write_ledger(tmp_path, [done("a"), done("b\nb")])
    write_ledger(tmp_path, [done("c")])
    assert [row.split("\t")[0] for row in rows(tmp_path)] == ["a", r"b\nb", "c"]


def test_a_subject_that_is_run_again_has_its_latest_row(tmp_path: Path) -> None:
    write_ledger(tmp_path, [Outcome("a", Status.FAILED, None, "disk full"), done("b")])
    write_ledger(tmp_path, [done("a", "this time")])
    assert sorted(rows(tmp_path)) == ["a\tdone\ta.nii.gz\tthis time", "b\tdone\tb.nii.gz\t"]


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


def test_the_old_table_stays_when_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_ledger(tmp_path, [done("a")])
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_ledger(tmp_path, [done("b")])
    assert len(rows(tmp_path)) == 1
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
