"""A file of any name is translated, and its name is shown on one line everywhere."""

from __future__ import annotations

import inspect
import json
import os
import textwrap
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan, on_terminal, tool_command

from oasis_gan.errors import printable
from oasis_gan.plugin.hookspecs import oasis_gan_models

NASTY = [
    "a b (copy)",
    "-dash",
    "--help",
    "patiënt_脑_é",
    "=cmd|calc,A0",
    "50%s%n%",
    "<b onclick='x'>&amp;",
    "new\nline",
    "carriage\rreturn",
    "tab\tbed",
    "[bold red]rich[red]",
    ":brain:",
    "\x1b[31mred",
    "\x9b2J",
    "\u202egnp.exe",
    os.fsdecode(b"no-utf8-\xff\xfe"),
    "'; touch executed; '",
    "$(touch executed)",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a label map under every name, and one below a nasty folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.eye(4)), tmp_path / "a.nii")
    for name in NASTY:
        (folder / f"{name}.nii").write_bytes((tmp_path / "a.nii").read_bytes())
    return folder


def shown_lines(text: str) -> list[str]:
    """Return the lines of a text that holds nothing a terminal would obey."""
    lines = text.removesuffix("\n").split("\n")
    assert [line for line in lines if not line.replace("\t", "").isprintable()] == []
    return lines


def test_every_name_is_translated_and_shown_on_its_line(folder: Path, paint: Painting) -> None:
    done = paint("in")
    out = folder.parent / "out"
    assert done.returncode == 0, done.stderr
    lines = [line for line in shown_lines(done.stderr) if line.startswith("[")]
    assert len(lines) == len(NASTY)
    assert [
        name for name in NASTY if not any(f"] {printable(name)}: done (" in line for line in lines)
    ] == []
    outputs = [folder.parent / line for line in shown_lines(done.stdout)]
    assert len(set(outputs)) == len(NASTY)
    assert all(output.is_file() for output in outputs)
    header, *rows = (line.split("\t") for line in shown_lines((out / "subjects.tsv").read_text()))
    assert {len(row) for row in (header, *rows)} == {7}
    assert {row[0] for row in rows} == {printable(name) for name in NASTY}
    assert {row[2] for row in rows} == {output.name for output in outputs}


def test_the_provenance_names_its_source_in_valid_json(folder: Path, paint: Painting) -> None:
    paint("in")
    sidecars = [path.read_text("utf-8") for path in (folder.parent / "out").glob("*.json")]
    for text in sidecars:
        shown_lines(text)
    sources = {json.loads(text)["source"]["file"] for text in sidecars}
    assert sources == {printable(f"{name}.nii") for name in NASTY}


def test_a_bad_file_of_any_name_is_one_line(folder: Path, paint: Painting) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"no volume")
    done = paint("in")
    assert done.returncode == 1
    lines = [line for line in shown_lines(done.stderr) if line.startswith("[")]
    assert len(lines) == len(NASTY)
    assert [name for name in NASTY if not any(printable(name) in line for line in lines)] == []
    assert len(shown_lines((folder.parent / "out" / "subjects.tsv").read_text())) == len(NASTY) + 1


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """Return a plugin file, which ships a model, in a nasty folder: the documentation's example."""
    folder = tmp_path / "pl\nug\x1b[2Jin [bold]%s<b>"
    folder.mkdir()
    example = textwrap.dedent(inspect.cleandoc(oasis_gan_models.__doc__ or "").partition("::\n")[2])
    (folder / "paint.py").write_text(example.replace("Path()", "Path(__file__).parent"))
    return folder / "paint.py"


@pytest.mark.parametrize("name", ["new\nline", os.fsdecode(b"no-utf8-\xff"), "[bold]%s"])
def test_results_go_to_a_folder_of_any_name(folder: Path, plugin: Path, name: str) -> None:
    words = ("run", "in/-dash.nii", "--plugin", plugin, "--model", "paint", "--out", name)
    # Bytes that are no UTF-8 come out as they went in.
    done = oasis_gan(*words, cwd=folder.parent, errors="surrogateescape")
    assert done.returncode == 0, done.stderr
    shown_lines(done.stderr)
    assert (folder.parent / name / "-dash_synthpaint.nii.gz").is_file()
    # What a program reads is the path itself.
    assert done.stdout == f"{name}/-dash_synthpaint.nii.gz\n"


def test_names_are_given_as_arguments_too(folder: Path, plugin: Path) -> None:
    names = (f"{name}.nii" for name in NASTY)
    done = oasis_gan(
        "run", "--plugin", plugin, "--model", "paint", "--out", "../out", "--", *names, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert len(list((folder.parent / "out").glob("*.nii.gz"))) == len(NASTY)
    assert not list(folder.parent.rglob("executed"))


@pytest.mark.parametrize("command", ["plugins", "models"])
def test_tables_keep_a_name_on_its_row(plugin: Path, tmp_path: Path, command: str) -> None:
    done = oasis_gan(command, "--plugin", plugin, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line for line in shown_lines(done.stdout) if printable(plugin.parent) in line]


def test_a_terminal_shows_names_as_they_are(folder: Path, plugin: Path) -> None:
    """A bar is drawn below the names; neither it nor the terminal takes them for markup."""
    words = ["run", "in", "--plugin", str(plugin), "--model", "paint", "--out", "out"]
    status, _, text = on_terminal(tool_command(*words), folder.parent, piped=False, columns=200)
    assert status == 0
    assert [name for name in NASTY if f"] {printable(name)}: done (" not in text] == []
    # None but the sequences that draw the bar, which Rich makes.
    assert "\x1b[31mred" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text
