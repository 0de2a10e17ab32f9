"""The contract that every label set keeps."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from numbers import Integral
from pathlib import Path

import numpy as np
import pytest

from ..image.errors import abbreviate
from ..image.label_conversion import convert
from ..image.label_sets import OASIS
from ..image.labels import Label, LabelSet, Structure
from ..image.tissues import BACKGROUND, TISSUES, tissue_of
from ..image.volume import Geometry, Volume
from ..io.label_tables import read_label_table, write_label_table
from .checks import assert_listed
from .contract import Case, Contract, Samples

_LARGEST = 2**31 - 1
"""Label maps are stored as integers of at most 32 bits."""
_TISSUES = (*TISSUES, BACKGROUND, "")


class LabelSetContract(Contract):
    """Checks for a label set. A subclass provides the fixture ``label_set``."""

    given = ("label_set",)

    @classmethod
    def cases(cls, offer: LabelSet, samples: Samples) -> Iterator[Case]:
        """Yield the label set, which needs no sample."""
        yield Case({"label_set": offer})

    @pytest.fixture
    def label_set(self) -> LabelSet:
        """Return the label set to check."""
        pytest.fail("give a fixture `label_set` that returns the LabelSet of your plugin")

    def test_it_can_be_named_and_listed(self, label_set: LabelSet) -> None:
        """The name is one word, and cannot be mistaken for the path of a table."""
        assert_listed(label_set.name, label_set.summary)
        name = Path(label_set.name)
        is_word = name.name == label_set.name and not name.suffix
        assert is_word, (
            f"the name {label_set.name!r} looks like a file: use letters, digits and hyphens"
        )

    def test_values_are_whole_numbers(self, label_set: LabelSet) -> None:
        """Values fit into 32 bits; 0 is background and is not listed."""
        for label in label_set.labels:
            assert isinstance(label, Label), (
                f"`labels` holds a {type(label).__name__}: use Label objects"
            )
            is_whole = isinstance(label.value, Integral) and not isinstance(label.value, bool)
            assert is_whole, f"the value of {label.name!r} is {label.value!r}: use a whole number"
            assert abs(label.value) <= _LARGEST, (
                f"the value {label.value} does not fit into 32 bits"
            )

    def test_names_fit_into_a_table(self, label_set: LabelSet, tmp_path: Path) -> None:
        """Names and values survive being written to a table and read back."""
        for label in label_set.labels:
            assert _is_line(label.name), (
                f"the name {label.name!r} of {label.value} is not one line of text"
            )
        table = tmp_path / "dseg.tsv"
        write_label_table(table, label_set)
        read = {label.value: tissue_of(label.name) for label in read_label_table(table).labels}
        expected = {label.value: tissue_of(label.name) for label in label_set.labels}
        changed = [value for value in expected if read.get(value) != expected[value]]
        assert not changed, (
            f"a table of labels reads {changed[0]} otherwise: choose another name for it"
        )

    def test_a_label_map_becomes_channels_and_comes_back(self, label_set: LabelSet) -> None:
        """Every label has its own channel."""
        values = np.array([0, *(label.value for label in label_set.labels)])
        channels = label_set.encode(values)
        assert channels.shape == (len(values), label_set.channels)
        decoded = label_set.decode(channels)
        assert np.array_equal(decoded, values), (
            "encoded and decoded, values come back changed: use smaller ones"
        )

    def test_it_reaches_another_process_unchanged(self, label_set: LabelSet) -> None:
        """A run may translate in processes that have not loaded the plugin."""
        copy = pickle.loads(pickle.dumps(label_set))  # noqa: S301 - of what was pickled here
        assert copy == label_set, "pickled and loaded again, it is another set"

    def test_tissues_are_ones_that_the_tool_knows(self, label_set: LabelSet) -> None:
        """A label that names its tissue names CSF, GM, WM or background."""
        expected = ", ".join(_TISSUES[:-1])
        for label in label_set.labels:
            tissue = label.tissue if isinstance(label, Structure) else ""
            assert tissue in _TISSUES, (
                f"the tissue of {label.name!r} is {tissue!r}: use one of {expected}"
            )

    def test_every_label_counts_as_a_tissue(self, label_set: LabelSet) -> None:
        """Models that were trained on tissues accept its label maps."""
        unknown = [label.name for label in label_set.labels if not _find_tissue(label)]
        if unknown:
            pytest.skip(
                f"models of tissues refuse {abbreviate(unknown)} (a Structure says its tissue)"
            )
        values = [label.value for label in label_set.labels]
        voxels = np.array(values, np.int32).reshape(-1, 1, 1)
        volume = Volume(voxels, Geometry(voxels.shape, np.eye(4)))
        convert(volume, label_set, OASIS, label_set.name)


def _is_line(name: object) -> bool:
    """Tell whether a name is one line of text without spaces around it."""
    return isinstance(name, str) and name.isprintable() and name == name.strip() != ""


def _find_tissue(label: Label) -> str:
    """Return the tissue that a label counts as, or "" if it is unknown."""
    return label.tissue if isinstance(label, Structure) else tissue_of(label.name)
