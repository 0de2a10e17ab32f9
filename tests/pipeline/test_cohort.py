"""A cohort is read, translated and written at once, in order, with few volumes in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from kit.painting import LoadedModel, painter

from oasis_gan import Exporter, Geometry, Scan, Subject, Volume, Window
from oasis_gan.image.volume import Channels, Mask
from oasis_gan.pipeline.cohort import translate_all
from oasis_gan.pipeline.job import Job
from oasis_gan.pipeline.ledger import Status
from oasis_gan.pipeline.places import Layout

PATIENCE = 20  # seconds


@dataclass
class Lab:
    """A reader, a model and an exporter that record what they do, after doing what a test wants."""

    folder: Path
    before: Callable[[str, int], None] = lambda step, number: None
    log: list[tuple[str, int]] = field(default_factory=list)
    done: dict[tuple[str, int], threading.Event] = field(default_factory=dict)

    def job(self) -> Job:
        """Return the job of writing text files by this lab."""
        model = painter(Window((0, 1000), (0, 1)), predict=self.predict)
        exporter = Exporter(name="text", summary="text", suffix=".txt", write=self.write)
        return Job(
            model=LoadedModel.at_hand(model),
            exporter=exporter,
            datatype="float32",
            layout=Layout(self.folder),
        )

    def subjects(self, count: int) -> list[Subject]:
        """Return subjects called s0, s1, ... each larger than the one before."""
        paths = [self.folder / f"s{number}.in" for number in range(count)]
        for path in paths:
            path.write_text(path.stem)
        return [Subject(path.stem, Scan(path, self.read)) for path in paths]

    def read(self, path: Path) -> Volume:
        """Read a subject."""
        number = int(path.stem[1:])
        self.step("read", number)
        return Volume(
            np.full((number + 2, 2, 2), 2, np.int32), Geometry((number + 2, 2, 2), np.eye(4))
        )

    def predict(self, slices: Channels, mask: Mask) -> Channels:
        """Translate a subject, all its slices at once."""
        self.step("translate", slices[..., 0].size // 4 - 2)
        return np.asarray(slices.max(-1, keepdims=True))

    def write(self, volume: Volume, path: Path) -> None:
        """Write a subject."""
        self.step("write", volume.geometry.shape[0] - 2)
        path.write_text("written")

    def step(self, step: str, number: int) -> None:
        """Do what the test wants, then say that a step is done."""
        self.log.append((step, number))
        self.before(step, number)
        self.event(step, number).set()

    def event(self, step: str, number: int) -> threading.Event:
        """Return what tells that a step is done."""
        return self.done.setdefault((step, number), threading.Event())


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Return a lab in a folder of its own."""
    yield Lab(tmp_path)
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith(("reading", "writing"))
    ]


def test_while_a_subject_is_translated_the_next_is_read_and_the_previous_written(lab: Lab) -> None:
    def meet(step: str, number: int) -> None:
        if step == "translate" and number < 3:
            assert lab.event("read", number + 1).wait(PATIENCE)
        if step == "write" and number < 3:
            # It would never come to an end if the next one were translated afterwards.
            assert lab.event("translate", number + 1).wait(PATIENCE)

    lab.before = meet
    outcomes = list(translate_all(lab.subjects(4), lab.job()))
    assert [(outcome.subject, outcome.status) for outcome in outcomes] == [
        (f"s{k}", Status.DONE) for k in range(4)
    ]
    assert sorted(path.name for path in lab.folder.glob("*.txt")) == [
        f"s{k}_synthT1w.txt" for k in range(4)
    ]


def test_reading_does_not_run_ahead_of_the_model(lab: Lab) -> None:
    def count(step: str, number: int) -> None:
        if step == "read":
            assert number < 2 or ("translate", number - 2) in lab.log
        if step == "translate":
            assert ("write", number - 2) in lab.log or number < 2

    lab.before = count
    assert [outcome.status for outcome in translate_all(lab.subjects(12), lab.job())] == [
        Status.DONE
    ] * 12


@pytest.mark.parametrize("broken", ["read", "translate", "write"])
def test_a_failure_affects_only_its_own_subject(lab: Lab, broken: str) -> None:
    def fail(step: str, number: int) -> None:
        if (step, number) == (broken, 1):
            raise ValueError("spilled coffee")

    lab.before = fail
    outcomes = list(translate_all(lab.subjects(4), lab.job()))
    assert [outcome.subject for outcome in outcomes] == ["s0", "s1", "s2", "s3"]
    assert [outcome.status is Status.DONE for outcome in outcomes].count(False) == 1
    assert "spilled coffee" in next(
        outcome.message for outcome in outcomes if outcome.status is Status.FAILED
    )


def test_each_outcome_has_the_time_of_its_own_subject(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A clock for each thread, which runs while that thread works on a subject and stops while it
    # waits.
    clock = threading.local()
    monkeypatch.setattr(
        "oasis_gan.pipeline.work.time",
        SimpleNamespace(monotonic=lambda: getattr(clock, "now", 0.0)),
    )
    slow = {
        ("read", 1): 1.0,
        ("translate", 2): 2.0,
        ("write", 3): 4.0,
        ("read", 4): 8.0,
        ("write", 4): 16.0,
    }

    def work(step: str, number: int) -> None:
        clock.now = getattr(clock, "now", 0.0) + slow.get((step, number), 0.0)

    lab.before = work
    took = [outcome.seconds for outcome in translate_all(lab.subjects(5), lab.job())]
    assert took == [0.0, 1.0, 2.0, 4.0, 24.0]


def test_subjects_translated_before_an_interruption_are_written(lab: Lab) -> None:
    def interrupt(step: str, number: int) -> None:
        if (step, number) == ("translate", 2):
            raise KeyboardInterrupt

    lab.before = interrupt
    outcomes = translate_all(lab.subjects(5), lab.job())
    assert [next(outcomes).subject for _ in range(2)] == ["s0", "s1"]
    with pytest.raises(KeyboardInterrupt):
        next(outcomes)
    assert sorted(path.name for path in lab.folder.glob("*.txt")) == [
        "s0_synthT1w.txt",
        "s1_synthT1w.txt",
    ]


def test_without_subjects_nothing_is_done(lab: Lab) -> None:
    assert list(translate_all([], lab.job())) == []
