"""Messages speak of flags on the command line, and of parameters everywhere else."""

from __future__ import annotations

import re

import click
import pytest
from kit.places import ROOT
from kit.texts import texts_in

from oasis_gan.cli.flags import FLAGS, with_flags
from oasis_gan.cli.main import cli

PARAMETERS = [parameter for command in cli.commands.values() for parameter in command.params]
SOURCES = [path for root in ("oasis_gan", "plugins") for path in (ROOT / root).rglob("*.py")]


@pytest.mark.parametrize("name", FLAGS)
def test_each_flag_is_what_the_command_line_calls_that_parameter(name: str) -> None:
    same = [parameter for parameter in PARAMETERS if parameter.name == name]
    flags = {
        flag
        for parameter in same
        for flag in (
            parameter.opts
            if isinstance(parameter, click.Option)
            else [name.upper().removesuffix("S")]
        )
    }
    assert FLAGS[name] in flags


def test_parameters_become_flags_and_other_words_stay() -> None:
    message = "a.nii: expected at most 8 voxels, found 9 by `read`; crop it, or raise `max_voxels`"
    assert (
        with_flags(message)
        == "a.nii: expected at most 8 voxels, found 9 by `read`; crop it, or raise --max-voxels"
    )


def test_a_name_that_only_looks_like_a_parameter_stays() -> None:
    assert (
        with_flags("`max_voxel` `MAX_VOXELS` `max voxels`")
        == "`max_voxel` `MAX_VOXELS` `max voxels`"
    )


def test_messages_name_no_parameter_that_the_command_line_lacks() -> None:
    named = re.compile(r"(?:with|use|raise|omit|choose|another|as|by) `([a-z_]+)`")
    texts = [text for path in SOURCES for text in texts_in(path)]
    found = {name for text in texts for name in named.findall(text)}
    assert {"max_voxels", "target_suffix", "overwrite"} <= found
    assert found <= set(FLAGS)
