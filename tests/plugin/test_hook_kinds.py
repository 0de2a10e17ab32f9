"""Each kind of thing that plugins offer is one row of a table; nothing else lists the kinds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from kit.places import TESTS
from kit.reports import GOES, REPORTS, Report

from oasis_gan import OasisGanError
from oasis_gan.plugin import hookspecs
from oasis_gan.plugin.hookspecs import HOOK_KINDS
from oasis_gan.plugin.registry import Registry

PLUGIN = """
from oasis_gan import hookimpl
from kit.reports import Report

@hookimpl
def oasis_gan_reports(ARGUMENTS):
    yield Report(name="NAME", summary=f"A report {[ARGUMENTS]}", write=print)
"""


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that saves a plugin with a report."""

    def write(name: str = "mine", arguments: str = "") -> Path:
        path = tmp_path / f"{name}_plugin.py"
        path.write_text(PLUGIN.replace("NAME", name).replace("ARGUMENTS", arguments))
        return path

    return write


Save = Callable[..., Path]


def discover(*files: Path) -> Registry:
    return Registry.discover(files, (*HOOK_KINDS, REPORTS))


def test_a_new_kind_is_collected_by_its_row_alone(save: Save) -> None:
    registry = discover(save("mine"))
    assert registry.problems == []
    assert list(registry[Report].offers) == ["plain", "mine"]
    assert str(registry[Report].origins["plain"]) == "core (oasis-gan)"
    assert registry[Report].get("mine").write is print


def test_a_name_of_a_built_in_is_never_taken_over(save: Save) -> None:
    with pytest.raises(
        OasisGanError, match=r"expected a new name for report Plain, found core \(oasis-gan\)"
    ):
        discover(save("Plain"))


def test_an_implementation_takes_the_arguments_that_it_needs(save: Save) -> None:
    registry = discover(save("one"), save("two", "language"))
    assert [report.summary for report in registry[Report]] == [
        "Plain text",
        "A report []",
        "A report ['en']",
    ]
    assert registry.deprecations == []


def test_a_deprecated_argument_is_still_passed_and_reported(save: Save) -> None:
    registry = discover(save("one", "language, author"), save("two"))
    assert registry[Report].get("one").summary == "A report ['en', 'me']"
    assert registry.problems == []
    (line,) = registry.deprecations
    assert line.startswith("plugin one_plugin (")
    assert line.endswith(f": {GOES}")


def test_a_removed_argument_is_reported_in_one_line(save: Save) -> None:
    with pytest.raises(OasisGanError, match="expected the arguments of their specs") as caught:
        discover(save("one", "subject"))
    assert str(caught.value).isprintable()


NEW_KIND = """
import sys
sys.path.insert(0, TESTS)
import oasis_gan.testing
from kit.reports import REPORTS, ReportContract
from oasis_gan.plugin import hookspecs
hookspecs.HOOK_KINDS = (*hookspecs.HOOK_KINDS, REPORTS)
oasis_gan.testing.ReportContract = ReportContract
from oasis_gan.cli.main import main
main()
"""


def run_tool(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a tool that knows reports."""
    command = [sys.executable, "-c", NEW_KIND.replace("TESTS", repr(str(TESTS)))]
    command.extend(str(word) for word in words)
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_new_kind_is_listed_and_its_deprecated_argument_is_reported(save: Save) -> None:
    save("mine", "author")
    done = run_tool(save("mine", "author").parent, "plugins", "--plugin", "mine_plugin.py")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "report plain core (oasis-gan) Plain text" in lines
    assert "report mine mine_plugin (mine_plugin.py) A report ['me']" in lines
    assert f"deprecated: plugin mine_plugin (mine_plugin.py): {GOES}" in lines


@pytest.mark.parametrize(
    ("name", "status", "last"),
    [
        ("mine", 0, "report mine: 1 checks kept, 0 broken, 0 skipped"),
        ("lengthy", 1, "report lengthy: 0 checks kept, 1 broken, 0 skipped"),
    ],
)
def test_a_new_kind_is_checked_by_its_contract(
    save: Save, name: str, status: int, last: str
) -> None:
    path = save(name, "author")
    done = run_tool(path.parent, "plugins", "--check", path.name)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.splitlines()[0] == f"deprecated: plugin {path.stem} ({path.name}): {GOES}"
    assert done.stdout.splitlines()[-1] == last


def test_every_hook_of_the_specs_has_a_row() -> None:
    hooks = [name for name in vars(hookspecs) if name.startswith("oasis_gan_")]
    assert [kind.hook for kind in HOOK_KINDS] == hooks
