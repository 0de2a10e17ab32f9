"""The commands that the pages print, in blocks and in sentences."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kit.pages import PAGES, blocks, prose
from kit.places import ROOT

TUTORIAL = ROOT / "docs" / "first-plugin.md"
ELSEWHERE = {
    "python3 -m venv": ".ci/run does it, and test_wheel installs without a network",
    ".venv/bin/python -m pytest": ".ci/run is that",
    ".venv/bin/ruff": ".ci/run does it",
    ".venv/bin/codespell": ".ci/run does it",
    ".venv/bin/mypy": ".ci/run does it",
    ".venv/bin/pip install": "needs a network",
    ".venv/bin/pre-commit": "needs a network",
    ".venv/bin/twine": "likewise",
    ".venv/bin/check-wheel-contents": "likewise",
    ".venv/bin/cffconvert": "likewise",
    ".venv/bin/uv": "likewise",
    ".venv/bin/python -m build": "likewise",
    "oasis-gan run brain.npy --model my-plugin": "needs the plugin; test_examples does it",
    "oasis-gan run dicom": "needs a model that takes an MRI; the tests of the DICOM reader do it",
    "oasis-gan run --model misspelt": "is wrong on purpose: docs/speed.md measures how soon",
    "pip install zlib-ng": "needs a network; docs/benchmarks.md is about other packages",
    "python tests/benchmarks": "takes minutes or hours, and heads that do not come with the tool",
    ".venv/bin/python tests/benchmarks": "likewise",
    "PYTHONPATH=tests python tests/benchmarks": "likewise",
    "python -m oasis_gan_pix2pix.ensemble": "test_ensemble does it",
    ".ci/run": "is what runs these tests",
    "ONEDNN_MAX_CPU_ISA=AVX2": "likewise",
    "TF_CONFIG=": "needs two machines called one and two; test_pix2pix_replicas runs it on one",
    "python -m pytest": "test_examples does it",
}
"""How commands begin that are not run here, and why."""


@dataclass(frozen=True)
class Block:
    """The commands of one block of a page."""

    page: Path
    commands: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page.name}: {self.commands[0][:60]}"


def printed_blocks() -> Iterator[Block]:
    """Yield the commands of each block of each page; what a console block prints is left out."""
    for page in PAGES:
        if page == TUTORIAL:
            # test_examples follows it to the letter.
            continue
        text = page.read_text("utf-8")
        for code in blocks(text, "bash", "sh"):
            lines = code.replace("\\\n", " ").splitlines()
            yield Block(page, tuple(command for line in lines for command in line.split(" && ")))
        for code in blocks(text, "console"):
            yield Block(
                page, tuple(line[2:] for line in code.splitlines() if line.startswith("$ "))
            )


def commands_in_prose() -> Iterator[Block]:
    """Yield the commands in sentences that have what they need: a source, or an option's value."""
    for page in PAGES:
        for code in re.findall(r"`(oasis-gan \w+ [^`]+)`", prose(page.read_text("utf-8"))):
            command = " ".join(code.split())
            if "SOURCE..." not in command and not re.search(r" --\w+$", command):
                yield Block(page, (command,))


def is_run_elsewhere(command: str) -> bool:
    return any(command.startswith(beginning) for beginning in ELSEWHERE)


def is_training(command: str) -> bool:
    return command.startswith("oasis-gan train ")


def clear_outputs(commands: Sequence[str], desk: Path) -> None:
    """Remove what commands will make: whoever types them has not made it yet."""
    for out in re.findall(r"--out (\S+)", "\n".join(commands)):
        path = desk / out
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


BLOCKS = [*printed_blocks(), *commands_in_prose()]
