"""Help and docstrings stand alone: each first sentence is understood without the code beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
import pytest
from kit.code_style import python_files
from kit.places import EXAMPLES, ROOT
from kit.sentences import find_faults, read_docstrings
from kit.settings_page import describe_settings

from oasis_gan.cli.main import cli
from oasis_gan.plugin.registry import Registry

CODE = python_files(ROOT / "oasis_gan", ROOT / "plugins", EXAMPLES)


def commands(
    command: click.Command = cli, name: str = "oasis-gan"
) -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all commands below it, each with its full name."""
    yield name, command
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            yield from commands(below, f"{name} {word}")


def help_sentences() -> Iterator[tuple[str, str]]:
    """Yield the help of each command and each option, with its place."""
    for name, command in commands():
        yield name, first_paragraph(command.help)
        if not isinstance(command, click.Group):
            yield f"{name} in the list of commands", command.short_help or ""
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield f"{name} {parameter.opts[0]}", parameter.help or ""


def first_paragraph(text: str | None) -> str:
    return (text or "").strip().partition("\n\n")[0]


def model_options() -> Iterator[tuple[str, str]]:
    for model in Registry.discover().trained:
        for option in model.kind.card(model.folder).options:
            yield f"model {model.name}, option {option.name}", option.help


def settings() -> Iterator[tuple[str, str]]:
    for name, field in describe_settings():
        yield f"setting {name}", field.description or ""


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield the first line of the docstring of everything public."""
    for path in CODE:
        for place, docstring in read_docstrings(path.read_text("utf-8")):
            yield f"{path.relative_to(ROOT)}, {place}", docstring.partition("\n")[0]


@pytest.mark.parametrize("sentences", [help_sentences, model_options, settings, docstrings])
def test_sentences_stand_alone(sentences: Callable[[], Iterator[tuple[str, str]]]) -> None:
    found = dict(sentences())
    assert found
    faults = [
        f"{where}: {sentence!r} {fault}"
        for where, sentence in found.items()
        for fault in find_faults(sentence)
    ]
    assert faults == []


def test_the_help_of_a_command_speaks_of_its_arguments() -> None:
    for name, command in commands():
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                argument = parameter.make_metavar(click.Context(command)).strip("[].")
                assert argument in (command.help or ""), f"{name} {argument}"


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("", "says nothing"),
        ("Of a folder take only files named so", "starts with Of"),
        ("Of a folder take only files named so", "does not end with a full stop"),
        ("of a brain alone", "starts with a small letter"),
        ("of a brain alone", "has no verb"),
        ("For it.", "has no verb"),
        ("It reads a scan.", "starts with It"),
        ("Them it writes.", "starts with Them"),
        ("That is read.", "starts with That"),
        ("Which reader is chosen.", "starts with Which"),
        ("Return the label map that an output is made from.", "ends with from"),
        ("Its tissue map; else estimated.", "has no verb"),
        ("Layout of SOURCE.  [default: detected]", "has no verb"),
        ("The checks of a subject.", "has no verb"),
    ],
)
def test_what_does_not_stand_alone_is_refused(sentence: str, fault: str) -> None:
    assert fault in set(find_faults(sentence))


@pytest.mark.parametrize(
    "sentence",
    [
        "Only use files whose names end in this suffix.",
        "Slice volumes in this plane.  [default: the model's first plane]",
        "A segmentation that checks an output.",
        "The slices lie in [0, 1].",
        "Return probabilities in [0, 1].",
        "Whether a model has weights.",
        "``model.json`` describes a model.",
    ],
)
def test_what_stands_alone_is_accepted(sentence: str) -> None:
    assert list(find_faults(sentence)) == []


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ('"""A."""', ["module"]),
        ("def run(): ...", ["module", "line 1: run"]),
        ("async def run(): ...", ["module", "line 1: run"]),
        ("class Run:\n    def end(self): ...", ["module", "line 1: Run", "line 2: end"]),
        ("class _Run:\n    def end(self): ...", ["module"]),
        ("def _run(): ...", ["module"]),
    ],
)
def test_the_docstrings_of_all_that_is_public_are_read(source: str, places: list[str]) -> None:
    assert [place for place, _ in read_docstrings(source)] == places
