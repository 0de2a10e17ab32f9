"""``oasis-gan plugins new`` writes a small project: a plugin, its packaging and its tests."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template

from oasis_gan import __api_version__

from ..errors import printable
from ..io.files import write_whole
from .lines import log
from .plugin_name import require_free_name, to_module
from .streams import write_result

_TEMPLATES = Path(__file__).with_name("plugin_project")
_OFFERS = {"dataset": "a reader", "model": "a model", "exporter": "an exporter"}
_MARK = "#?"
"""Begins the mark in a template that says for which kinds of plugin a line is meant.

At the end of a line, the mark is about that line. On a line of its own, it is about all lines up to
the next such mark. A mark without kinds means all kinds.
"""


@dataclass(frozen=True, kw_only=True)
class NewPluginOptions:
    """The options that ``oasis-gan plugins new`` takes.

    Args:
        name: The name of the plugin, and of what it offers.
        kinds: What the plugin offers: ``dataset``, ``model`` or ``exporter``.
        out: The folder to create; None for one of the plugin's name in the current folder.
    """

    name: str
    kinds: tuple[str, ...]
    out: Path | None = None


def create_project(options: NewPluginOptions) -> int:
    """Write the project of a new plugin, print its folder, and say what to do next.

    Returns:
        The exit status, which is 0.

    Raises:
        OasisGanError: If the name cannot be used, or the folder exists.
        OSError: If the folder cannot be written; nothing is left behind.
    """
    require_free_name(options.name, options.kinds)
    folder = options.out or Path(options.name)
    files = make_files(options.name, options.kinds)
    with write_whole(folder, overwrite=False) as temporary:
        temporary.mkdir()
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8", newline="\n")
    write_result(printable(folder))
    log(f"next: cd {shlex.quote(str(folder))} && pip install -e '.[test]' && python -m pytest")
    return 0


def make_files(name: str, kinds: Collection[str]) -> dict[str, str]:
    """Return the files of a project by name, with the text of each."""
    module = to_module(name)
    chosen = [kind for kind in _OFFERS if kind in kinds]
    words = {
        "name": name,
        "module": module,
        "api_version": str(__api_version__),
        "offers": _join_words([_OFFERS[kind] for kind in chosen]),
        "sample": " --sample brain.npy" if "dataset" in chosen else "",
        "run": " ".join(_list_run_words(name, chosen)),
    }
    return {
        "README.md": _fill("README.md", chosen, words),
        "pyproject.toml": _fill("pyproject.toml", chosen, words),
        f"{module}.py": _fill("module.py", chosen, words),
        f"test_{module}.py": _fill("tests.py", chosen, words),
    }


def _list_run_words(name: str, kinds: Collection[str]) -> Iterator[str]:
    """Yield the words of a command that uses a plugin."""
    yield "oasis-gan run"
    yield "brain.npy" if "dataset" in kinds else "map.nii.gz"
    if "model" in kinds:
        yield f"--model {name}"
    if "exporter" in kinds:
        yield f"--exporter {name}"
    yield "--out out"


def _join_words(words: list[str]) -> str:
    """Return words as a sentence enumerates them: ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _fill(template: str, kinds: Collection[str], words: dict[str, str]) -> str:
    text = (_TEMPLATES / f"{template}.txt").read_text("utf-8")
    lines = "".join(f"{line}\n" for line in _select_lines(text, kinds))
    return Template(lines).substitute(words)


def _select_lines(text: str, kinds: Collection[str]) -> Iterator[str]:
    """Yield the lines of a template that are meant for some kinds of plugin, without marks."""
    in_section = True
    for line in text.splitlines():
        kept, mark, meant = line.partition(_MARK)
        suits = not meant.split() or not set(kinds).isdisjoint(meant.split())
        if mark and not kept:
            in_section = suits
        elif in_section and suits:
            yield kept.rstrip()
