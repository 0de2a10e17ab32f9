"""What the documentation says is true: links lead somewhere, and commands are understood."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
from kit.pages import PAGES, blocks, prose
from kit.places import ROOT
from kit.settings_page import PAGE, rows, with_table

from oasis_gan.cli.main import cli

TEXTS = [
    *PAGES,
    ROOT / "NOTICE",
    ROOT / ".ci" / "run",
    ROOT / "pyproject.toml",
    *ROOT.glob("examples/**/*.py"),
]
README = (ROOT / "README.md").read_text("utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """Return what a heading can be linked as."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_local_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in LINK.findall(prose(text)):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text("utf-8")), link


def test_the_two_set_up_commands_stand_alone_below_a_line_of_prose() -> None:
    assert blocks(README, "bash") == [
        "python3 -m venv .venv && .venv/bin/pip install . && "
        ".venv/bin/oasis-gan run examples/mni152_seg.nii.gz --out out",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/python -m pytest",
    ]
    assert len(re.findall(r"^\S.*:\n\n```bash\n.+\n```$", README, re.MULTILINE)) == 2


def test_the_readme_says_how_it_was_installed_for_the_tests_of_a_contributor() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert blocks(contributing, "bash")[0] == blocks(README, "bash")[1]


def test_ci_runs_the_test_command_of_the_readme_to_the_letter() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    printed = subprocess.run(
        [run, "--print-test-command"], capture_output=True, text=True, check=True
    ).stdout
    assert printed == blocks(README, "bash")[1] + "\n"


def commands(text: str) -> list[list[str]]:
    """Return the words after ``oasis-gan`` of every command in the blocks of a page."""
    code = "\n".join(blocks(text, "bash", "sh", "console")).replace("\\\n", " ")
    parts = [
        part.strip().removeprefix("$ ").removeprefix(".venv/bin/")
        for part in re.split(r"\n|&&| \| ", code)
    ]
    return [shlex.split(part, comments=True)[1:] for part in parts if part.startswith("oasis-gan ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_is_understood(page: Path) -> None:
    for name, *words in commands(page.read_text("utf-8")):
        # Reads the options as the command would, and does not run it.
        cli.commands[name].make_context(name, words)


def test_the_readme_shows_every_command() -> None:
    assert {name for name, *_ in commands(README)} == set(cli.commands)


def test_options_in_the_prose_of_the_readme_exist() -> None:
    parameters = [parameter for command in cli.commands.values() for parameter in command.params]
    known = {
        option
        for parameter in parameters
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    named = {
        word
        for code in re.findall(r"`([^`\n]+)`", prose(README))
        for word in code.split()
        if word[:2] == "--"
    }
    assert named - {"--help"} <= known


def test_files_named_in_commands_exist() -> None:
    named = {
        word
        for text in blocks(README, "bash", "sh")
        for word in text.split()
        if word.startswith("examples/")
    }
    assert named
    assert [word for word in named if not (ROOT / word).exists()] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_text_names_a_path_of_one_machine(path: Path) -> None:
    text = path.read_text("utf-8").removeprefix("#!/usr/bin/env")
    assert re.findall(r"(?<![\w.:/*~<)])/[a-z]\w*/[\w.-]+", text) == []


def test_the_page_on_training_lists_every_setting() -> None:
    """Made anew by ``python tests/kit/settings_page.py``."""
    page = PAGE.read_text("utf-8")
    assert with_table(page) == page
    assert all("None |" not in row for row in rows())
