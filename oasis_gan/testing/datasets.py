"""The contract that every reader keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ..image.labels import LabelSet
from ..plugin.datasets import Dataset, Scan, Selection, Subject
from ..plugin.foreign import foreign_code
from .checks import USERS_ERRORS, assert_listed, assert_volume, must_raise, record_calls
from .contract import Case, Contract, Samples

SPLITS = ("train", "validate", "test", "")
"""The sides of a split that the tool knows; empty if the data do not say."""
NO_SUCH_SUFFIX = "_no-such-suffix.xyz"


class DatasetContract(Contract):
    """Check a reader.

    A subclass provides the fixtures ``dataset`` and ``selection``, a selection of data that the
    test makes.
    """

    given = ("dataset", "selection")
    needed = "a file or folder that it recognises"

    @classmethod
    def cases(cls, offer: Dataset, samples: Samples) -> Iterator[Case]:
        """Yield each sample that a reader recognises."""
        for sample in samples.paths:
            if _recognises(offer, sample):
                yield Case({"dataset": offer, "selection": samples.select(sample)}, sample)

    @pytest.fixture
    def dataset(self) -> Dataset:
        """Return the reader to check."""
        pytest.fail("give a fixture `dataset` that returns the Dataset of your plugin")

    @pytest.fixture
    def selection(self) -> Selection:
        """Return a selection that holds at least one subject."""
        pytest.fail("give a fixture `selection` that makes some data and returns a Selection of it")

    @pytest.fixture
    def subjects(self, dataset: Dataset, selection: Selection) -> list[Subject]:
        """Return the subjects of the selection."""
        subjects = list(dataset.open(selection))
        assert subjects, (
            f"`open` listed nothing in {selection.root}: let it list what your fixture made"
        )
        for subject in subjects:
            assert isinstance(subject, Subject), (
                f"`open` listed a {type(subject).__name__}: yield Subject objects"
            )
        return subjects

    @pytest.fixture
    def scans(self, subjects: list[Subject]) -> list[Scan]:
        """Return the sources and targets of the selection."""
        scans = []
        for subject in subjects:
            scans.append(subject.source)
            if subject.target is not None:
                scans.append(subject.target)
        return scans

    @pytest.fixture
    def empty(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return an empty folder."""
        return tmp_path_factory.mktemp("empty")

    def test_it_can_be_named_and_listed(self, dataset: Dataset) -> None:
        """The name is one word, and the summary is one line."""
        assert_listed(dataset.name, dataset.summary)

    def test_the_same_subjects_come_in_the_same_order(
        self, dataset: Dataset, selection: Selection, subjects: list[Subject]
    ) -> None:
        """Opened again, it lists the same subjects, so that a run can be resumed."""
        names = _names(subjects)
        again = _names(dataset.open(selection))
        assert again == names, (
            f"`open` listed {names}, then {again}: sort what it finds, and keep no state"
        )

    def test_names_tell_subjects_apart(self, subjects: list[Subject]) -> None:
        """Every subject has its own name."""
        names = _names(subjects)
        assert all(isinstance(name, str) and name.strip() for name in names), (
            f"a name of {names} is empty or no text"
        )
        twice = sorted({name for name in names if names.count(name) > 1})
        assert not twice, (
            f"several subjects are called {twice}: put what differs in their paths into the names"
        )

    def test_listing_reads_no_voxels(
        self, dataset: Dataset, selection: Selection, scans: list[Scan]
    ) -> None:
        """Readers are called by `Scan.read`, not before, because a cohort is larger than memory."""
        with record_calls(scan.reader for scan in scans) as called:
            list(dataset.open(selection))
        assert not called, (
            f"`open` called {called[:1]}: leave that to Scan.read, and give Scan the function"
        )

    def test_scans_are_files(self, scans: list[Scan]) -> None:
        """The provenance of an output holds the hash of its source file."""
        for scan in scans:
            for path in (scan.path, *scan.parts):
                assert path.is_file(), (
                    f"{path} is no file: give Scan the files that its reader reads"
                )

    def test_every_scan_is_a_volume_with_a_place_in_space(self, scans: list[Scan]) -> None:
        """Voxels are numbers in three dimensions, and the affine is valid."""
        for scan in scans:
            assert_volume(scan.reader(scan.path), scan.path)

    def test_a_scan_reads_the_same_twice(self, scans: list[Scan]) -> None:
        """A second reading returns the same voxels as the first, and leaves those unchanged."""
        for scan in scans:
            first = scan.read()
            voxels = first.voxels.copy()
            affine = first.geometry.affine.copy()
            second = scan.read()
            assert np.array_equal(voxels, second.voxels, equal_nan=True), (
                f"{scan.path}: other voxels the second time"
            )
            assert np.array_equal(affine, second.geometry.affine), (
                f"{scan.path}: another affine the second time"
            )

    def test_what_it_says_of_a_subject_is_understood(
        self, subjects: list[Subject], scans: list[Scan]
    ) -> None:
        """All fields of a subject have the right type, and the tool knows the split."""
        for subject in subjects:
            wrong = subject.find_wrong_field()
            assert wrong is None, (
                f"a Subject has {wrong}: use the types that oasis_gan.Subject names"
            )
            assert subject.split in SPLITS, (
                f"split {subject.split!r} of {subject.name}: use one of {', '.join(SPLITS)}"
            )
        for scan in scans:
            found = type(scan.labels).__name__
            assert scan.labels is None or isinstance(scan.labels, LabelSet), (
                f"labels is a {found}: use a LabelSet"
            )

    def test_pairs_lie_on_one_grid(self, selection: Selection, subjects: list[Subject]) -> None:
        """Every target is on the grid of its source, and none is missing if pairs are requested."""
        pairs = [subject for subject in subjects if subject.target is not None]
        if selection.wants_targets:
            missing = [subject.name for subject in subjects if subject.target is None]
            assert not missing, (
                f"targets were asked for, and {missing[0]} has none: give Subject a target"
            )
        if not pairs:
            pytest.skip("there are no targets (`target_root` or `target_suffix` finds some)")
        for subject in pairs:
            source, target = subject.read_both()
            assert source.voxels.shape == target.voxels.shape

    def test_a_suffix_that_no_file_has_finds_nothing(
        self, dataset: Dataset, selection: Selection
    ) -> None:
        """A folder may hold other files of the same format; `--source-suffix` selects some."""
        if not selection.root.is_dir():
            pytest.skip("the sample is a file, not a folder")
        other = replace(selection, source_suffix=NO_SUCH_SUFFIX)
        otherwise = (
            f"`open` ignored `source_suffix` {NO_SUCH_SUFFIX}:"
            " list only files that end in source_suffix"
        )
        with must_raise(USERS_ERRORS, otherwise):
            # A reader may list subjects that lack the file, and refuse to read them.
            for subject in dataset.open(other):
                subject.source.read()

    def test_a_volume_of_too_many_voxels_is_refused(
        self, dataset: Dataset, selection: Selection
    ) -> None:
        """`--max-voxels` protects against files that claim to be larger than memory."""
        remedy = (
            "compare the size in the file with max_voxels of the selection before voxels are read"
        )
        subject = next(iter(dataset.open(selection)))
        voxels = subject.source.read().voxels.size
        if voxels < 2:
            pytest.skip("the first volume of the sample has one voxel")
        limit = voxels - 1
        # Opened again, because a reader may check sizes when it lists.
        limited = replace(selection, max_voxels=limit)
        with must_raise(USERS_ERRORS, f"`max_voxels` {limit} let {voxels} voxels pass: {remedy}"):
            for other in dataset.open(limited):
                if other.name == subject.name:
                    other.source.read()

    def test_it_recognises_what_it_reads_and_nothing_else(
        self, dataset: Dataset, selection: Selection, empty: Path
    ) -> None:
        """Without ``--dataset`` every reader is asked, and exactly one must accept."""
        assert dataset.recognises(selection.root), (
            f"`recognises` denied {selection.root}, of which `open` lists subjects"
        )
        assert not dataset.recognises(empty), (
            "`recognises` took an empty folder: let it look for your files in there"
        )

    def test_an_empty_folder_is_refused(self, dataset: Dataset, empty: Path) -> None:
        """A folder without subjects is an error with a remedy, not an empty list."""
        otherwise = "`open` accepted an empty folder: raise OasisGanError when it finds nothing"
        with must_raise(USERS_ERRORS, otherwise):
            list(dataset.open(Selection(empty)))

    def test_a_source_that_is_not_there_is_refused(
        self, dataset: Dataset, selection: Selection, empty: Path
    ) -> None:
        """A missing source is refused when it is listed, or at the latest when it is read."""
        missing = empty / selection.root.name
        otherwise = f"there is no {missing}, and `open` raised nothing: raise OasisGanError"
        with must_raise(USERS_ERRORS, otherwise):
            for subject in dataset.open(Selection(missing)):
                subject.source.read()

    def test_a_file_that_goes_away_is_refused(self, scans: list[Scan], empty: Path) -> None:
        """A file may be deleted between listing and reading."""
        for scan in scans:
            missing = empty / scan.path.name
            with must_raise(USERS_ERRORS, f"there is no {missing}, and the reader raised nothing"):
                scan.reader(missing)

    def test_a_file_cut_short_is_refused(self, scans: list[Scan], empty: Path) -> None:
        """A partly copied file must not be read as a volume, nor be padded with zeros."""
        for scan in scans:
            half = empty / scan.path.name
            content = scan.path.read_bytes()
            half.write_bytes(content[: len(content) // 2])
            otherwise = f"half of {scan.path} was read as a volume: compare sizes, or checksums"
            # Any exception will do: the tool reports the file and continues with the next.
            with must_raise((Exception,), otherwise):
                scan.reader(half)


def _names(subjects: Iterable[Subject]) -> list[str]:
    """Return the names of subjects."""
    return [subject.name for subject in subjects]


def _recognises(dataset: Dataset, sample: Path) -> bool:
    """Tell whether a reader recognises a sample, or raises when it is asked."""
    try:
        with foreign_code(dataset.name):
            return bool(dataset.recognises(sample))
    # The contract itself then reports the exception.
    except Exception:  # noqa: BLE001
        return True
