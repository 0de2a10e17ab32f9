"""Every command that a page prints works as printed, in a folder with the files that it names."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from kit.desk import environment
from kit.pages import blocks
from kit.places import ROOT
from kit.printed import (
    BLOCKS,
    ELSEWHERE,
    TUTORIAL,
    Block,
    clear_outputs,
    is_run_elsewhere,
    is_training,
)
from kit.tool import without_network

from oasis_gan.cli.main import cli

TEMPLATE = ROOT / "examples" / "plugin_template"
HERE = [
    block
    for block in BLOCKS
    if not all(is_run_elsewhere(command) or is_training(command) for command in block.commands)
]


# A virtual environment of these tests may lack the script, not the module.
PIP = 'pip() { python -m pip "$@"; }; '


def run(command: str, folder: Path, desk: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", PIP + command],
        cwd=folder,
        env={**environment(), **without_network(desk / "site")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def assert_it_works(command: str, folder: Path, desk: Path) -> None:
    done = run(command, folder, desk)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("block", HERE, ids=str)
def test_the_commands_of_a_block_work_one_after_the_other(block: Block, desk: Path) -> None:
    clear_outputs(block.commands, desk)
    folder = find_folder(block.page, desk)
    if any("out/mni152_seg_synthT1w" in command for command in block.commands):
        assert_it_works(set_up_command(), desk, desk)
    if any("my_reader.py" in command for command in block.commands):
        save_reader_of_the_tutorial(desk)
    for command in block.commands:
        if not is_run_elsewhere(command) and not is_training(command):
            assert_it_works(command, folder, desk)


def find_folder(page: Path, desk: Path) -> Path:
    """Return where the commands of a page are typed: a new project has its own folder."""
    if page.parent != TEMPLATE:
        return desk
    folder = desk / "examples" / "plugin_template"
    shutil.copy(desk / "brain.npy", folder)
    return folder


def set_up_command() -> str:
    """Return the run that README's first line ends with."""
    return blocks((ROOT / "README.md").read_text("utf-8"), "bash")[0].split(" && ")[-1]


def save_reader_of_the_tutorial(desk: Path) -> None:
    code = re.search(
        r"^Save as `my_reader.py`:\n\n```python\n(.*?)^```$",
        TUTORIAL.read_text("utf-8"),
        re.M | re.S,
    )
    assert code is not None
    (desk / "my_reader.py").write_text(code[1])


@pytest.mark.parametrize("name", ["", *sorted(cli.commands)])
def test_commands_that_the_help_names_exist(name: str) -> None:
    command = cli.commands[name] if name else cli
    text = " ".join(command.get_help(click.Context(command, info_name="oasis-gan")).split())
    for words in re.findall(r"`oasis-gan ([^`]+)`", text):
        first, *others = words.split()
        cli.commands[first].make_context(first, others)


def test_every_printed_command_is_run_somewhere() -> None:
    commands = {command for block in BLOCKS for command in block.commands}
    strange = [
        command
        for command in commands
        if not command.startswith(("oasis-gan ", ".venv/bin/oasis-gan ", "python ", "pip install "))
    ]
    assert [command for command in strange if not is_run_elsewhere(command)] == []
    unused = [
        beginning
        for beginning in ELSEWHERE
        if not any(command.startswith(beginning) for command in commands)
    ]
    assert unused == []
