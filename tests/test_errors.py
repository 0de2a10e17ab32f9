"""An error for the user keeps its facts, also in another process."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from oasis_gan import OasisGanError
from oasis_gan.plugin.catalogue import NameTakenError
from oasis_gan.plugin.discovery import PluginOrigin

ERROR = OasisGanError(
    Path("head.nii"), expected="three axes", found="two", remedy="choose a volume"
)
SHOW = (
    "import pickle, sys; "
    "error = pickle.load(sys.stdin.buffer); "
    "print(error, error.found, error.remedy, sep='\\n')"
)


def test_an_error_carries_its_facts() -> None:
    facts = (ERROR.where, ERROR.expected, ERROR.found, ERROR.remedy)
    assert facts == (Path("head.nii"), "three axes", "two", "choose a volume")


def test_an_error_can_be_told_of_another_place() -> None:
    assert str(ERROR.at("tail.nii")) == "tail.nii: expected three axes, found two; choose a volume"
    assert str(ERROR).startswith("head.nii")


def test_an_error_of_a_special_kind_stays_so_about_another_place() -> None:
    error = NameTakenError(
        "dataset mine", PluginOrigin("first", "one.py"), PluginOrigin("second", "two.py")
    )
    moved = error.at("dataset yours")
    assert isinstance(moved, NameTakenError)
    assert moved.holder == error.holder
    assert str(moved) == str(error).replace("dataset mine", "dataset yours")


def test_an_error_says_the_same_in_another_process() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", SHOW], input=pickle.dumps(ERROR), stdout=subprocess.PIPE, check=True
    )
    assert answer.stdout.decode().splitlines() == [str(ERROR), "two", "choose a volume"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_of_a_special_kind_stays_so_in_a_pickle(protocol: int) -> None:
    error = NameTakenError(
        "dataset mine", PluginOrigin("first", "one.py"), PluginOrigin("second", "two.py")
    )
    error.add_note("while reading")
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert isinstance(copy, NameTakenError)
    assert (str(copy), copy.holder, copy.__notes__) == (str(error), error.holder, ["while reading"])


def test_an_error_about_something_that_cannot_be_pickled_can_be_pickled() -> None:
    error = OasisGanError(lambda: 0, expected="a name", found="none", remedy="give it one")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.where == str(error.where)
