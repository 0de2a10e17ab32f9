"""``oasis-gan plugins new`` writes a whole project that works, or says in one line why not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from kit.places import ROOT

from oasis_gan import OasisGanError
from oasis_gan.cli.main import cli
from oasis_gan.cli.new_plugin import make_files
from oasis_gan.cli.plugin_name import suggest_name

KINDS = ("dataset", "model", "exporter")
CHOICES = [kinds for count in (1, 2, 3) for kinds in combinations(KINDS, count)]


def start(name: str, *words: str, kinds: Sequence[str] = ("dataset",)) -> Result:
    """Type the command in the current folder."""
    chosen = [word for kind in kinds for word in ("--kind", kind)]
    return CliRunner().invoke(
        cli, ["plugins", "new", *chosen, *words, "--", name], standalone_mode=False
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_project_passes_its_own_tests(here: Path, kind: str) -> None:
    assert start("brand-new", kinds=[kind]).exception is None
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=here / "brand-new",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_project_of_any_kinds_is_formatted_and_without_unused_imports(here: Path) -> None:
    for kinds in CHOICES:
        folder = here / "-".join(kinds)
        folder.mkdir()
        for name, text in make_files("brand-new", kinds).items():
            (folder / name).write_text(text)
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", here],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kinds", CHOICES, ids="-".join)
def test_a_project_has_only_the_hooks_of_its_kinds(kinds: Sequence[str]) -> None:
    module = make_files("brand-new", kinds)["brand_new.py"]
    assert [f"def oasis_gan_{kind}s()" in module for kind in KINDS] == [
        kind in kinds for kind in KINDS
    ]
    assert "#?" not in module


def test_the_folder_is_printed_and_may_be_chosen(here: Path) -> None:
    result = start("brand-new", "--out", "elsewhere")
    assert result.stdout == "elsewhere\n"
    assert result.stderr.startswith("next: cd elsewhere && ")
    assert sorted(path.name for path in (here / "elsewhere").iterdir()) == [
        "README.md",
        "brand_new.py",
        "pyproject.toml",
        "test_brand_new.py",
    ]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("My Reader", "my-reader"),
        ("my_reader", "my-reader"),
        ("3d-reader", "plugin-3d-reader"),
        ("class", "plugin-class"),
        ("../../etc/passwd", "etc-passwd"),
        ("two--hyphens-", "two-hyphens"),
        ("", "my-plugin"),
        ("-", "my-plugin"),
        ("\udcff", "my-plugin"),
        ("лекарь", "my-plugin"),
        ("a\nb", "a-b"),
        ("x" * 41, "my-plugin"),
    ],
)
def test_a_name_that_is_none_is_refused_with_one_that_is(
    here: Path, name: str, suggestion: str
) -> None:
    result = start(name)
    assert isinstance(result.exception, OasisGanError)
    assert str(result.exception).endswith(f"; for example {suggestion}")
    assert suggest_name(suggestion) == suggestion
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("json", "a module json"),
        ("numpy", "a module numpy"),
        ("oasis-gan", "a module oasis_gan"),
        ("nifti", "dataset nifti of nifti (oasis-gan)"),
        ("pix2pix", "model kind pix2pix of pix2pix (oasis-gan)"),
        ("tissue-to-t1w", "model tissue-to-t1w of pix2pix (oasis-gan)"),
    ],
)
def test_a_name_that_is_taken_is_refused(here: Path, name: str, found: str) -> None:
    result = start(name, kinds=KINDS)
    assert isinstance(result.exception, OasisGanError)
    assert found in str(result.exception)
    assert list(here.iterdir()) == []


def test_a_name_may_be_that_of_something_of_another_kind(here: Path) -> None:
    assert start("bids", kinds=["exporter"]).exception is None
    assert start("bids", "--out", "another").exception is not None


def test_what_exists_is_never_changed(here: Path) -> None:
    (here / "brand-new").write_text("mine")
    result = start("brand-new")
    assert "expected a new path, found a file or a folder there" in str(result.exception)
    assert (here / "brand-new").read_text() == "mine"
    assert [path.name for path in here.iterdir()] == ["brand-new"]


def test_the_folder_above_must_exist(here: Path) -> None:
    result = start("brand-new", "--out", "no/such/folder")
    assert isinstance(result.exception, FileNotFoundError)
    assert result.exception.filename == "no/such/folder"
    assert list(here.iterdir()) == []


def test_the_kind_must_be_said() -> None:
    error = start("brand-new", kinds=()).exception
    assert isinstance(error, click.MissingParameter)
    assert "'--kind'. Choose from:" in error.format_message()


def test_the_template_is_what_the_command_writes() -> None:
    """Made anew by the command in docs/first-plugin.md, with ``--out examples/plugin_template``."""
    folder = ROOT / "examples" / "plugin_template"
    made = make_files("my-plugin", KINDS)
    assert {name: (folder / name).read_text("utf-8") for name in made} == made
