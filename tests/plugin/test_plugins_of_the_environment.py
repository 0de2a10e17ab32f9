"""The environment can add plugin files, and switch plugins off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kit.tool import oasis_gan

from oasis_gan import Dataset
from oasis_gan.cli.listing import describe_plugins
from oasis_gan.plugin.registry import Registry

PLUGIN = """
from oasis_gan import Dataset, hookimpl

@hookimpl
def oasis_gan_datasets():
    yield Dataset(name="NAME", summary="Nothing at all",
        open=lambda selection: [], recognises=lambda path: False)
"""
PATH = "OASIS_GAN_PLUGIN_PATH"
DISABLE = "OASIS_GAN_DISABLE_PLUGINS"


def save_plugin(path: Path) -> Path:
    """Save a plugin that offers a dataset of its own name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PLUGIN.replace("NAME", path.stem))
    return path


def datasets(*files: Path) -> set[str]:
    registry = Registry.discover(files)
    assert registry.problems == []
    return {dataset.name for dataset in registry[Dataset]}


def test_files_and_folders_of_plugins_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = save_plugin(tmp_path / "alone.py")
    save_plugin(tmp_path / "many" / "first.py")
    save_plugin(tmp_path / "many" / "second.py")
    monkeypatch.setenv(PATH, os.pathsep.join(map(str, (alone, tmp_path / "many"))))
    assert {"alone", "first", "second", "nifti"} <= datasets()


def test_files_beside_a_plugin_that_are_none_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_plugin(tmp_path / "mine.py")
    for name in ("test_mine.py", "conftest.py", "_help.py", ".hidden.py", "notes.txt"):
        (tmp_path / name).write_text("raise SystemExit('not to be run')")
    save_plugin(tmp_path / "below" / "deeper.py")
    monkeypatch.setenv(PATH, str(tmp_path))
    assert "mine" in datasets()
    assert "deeper" not in datasets()


def test_an_empty_entry_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_plugin(tmp_path / "mine.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PATH, os.pathsep)
    assert "mine" not in datasets()


def test_a_plugin_may_be_named_although_the_environment_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save_plugin(tmp_path / "mine.py")
    monkeypatch.setenv(PATH, str(tmp_path))
    assert "mine" in datasets(file)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken.py", "ValueError: on purpose"),
        ("gone.py", f"{PATH}: expected Python files, and folders of them, found "),
        ("text.txt", "expected a Python file, found .txt; name it .py"),
    ],
)
def test_a_broken_entry_is_a_problem_and_stops_nothing(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('on purpose')")
    (tmp_path / "text.txt").write_text("")
    good = save_plugin(tmp_path / "good.py")
    monkeypatch.setenv(PATH, os.pathsep.join(map(str, (tmp_path / name, good))))
    registry = Registry.discover()
    (problem,) = registry.problems
    assert said in problem
    assert "good" in {dataset.name for dataset in registry[Dataset]}


def test_a_plugin_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('on purpose')")
    monkeypatch.setenv(PATH, str(tmp_path))
    monkeypatch.setenv(DISABLE, "broken, oasis,")
    assert "nifti" in datasets()
    assert "oasis1" not in datasets()


def test_the_list_says_what_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DISABLE, "oasis,oassis")
    assert list(describe_plugins([]))[-2:] == [
        f"disabled: plugin oasis (oasis-gan), by {DISABLE}",
        f"disabled: no plugin is called oassis; correct {DISABLE}",
    ]


def test_a_plugin_that_a_command_names_is_never_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DISABLE, "mine")
    assert "mine" in datasets(save_plugin(tmp_path / "mine.py"))


def test_a_plugin_of_the_environment_is_checked_by_its_name(tmp_path: Path) -> None:
    save_plugin(tmp_path / "mine.py")
    environment = {**os.environ, PATH: str(tmp_path)}
    done = oasis_gan("plugins", "--check", "mine", cwd=tmp_path, env=environment)
    assert done.stdout.startswith("dataset mine: not checked; name a file or folder")
    environment[DISABLE] = "mine"
    done = oasis_gan("plugins", "--check", "mine", cwd=tmp_path, env=environment)
    assert done.returncode == 2
    assert "--check: expected a plugin, found mine" in done.stderr
