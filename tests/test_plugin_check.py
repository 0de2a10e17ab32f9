"""``oasis-gan plugins --check`` tells a plugin's author what is missing, in plain lines, without a test file."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from oasis_gan import hookspecs

HOOKS = ("oasis_gan_datasets", "oasis_gan_models", "oasis_gan_exporters")
BREAKING = [
    ("Volume(voxels, ", "Volume(voxels > 0, "),
    ("slices @ GREYS[:, np.newaxis]", "2 * slices @ GREYS[:, np.newaxis]"),
    ("write_atomically(path, file.getvalue())", "path.write_bytes(file.getvalue())"),
]
NO_PYTEST = "import sys; sys.modules['pytest'] = None; from oasis_gan.cli import main; main()"


def example(hook: str) -> str:
    """Return the plugin in a hook's docstring."""
    return textwrap.dedent(inspect.cleandoc(getattr(hookspecs, hook).__doc__).partition("::\n")[2])


def check(folder: Path, *words: str, pytest_installed: bool = True) -> subprocess.CompletedProcess[str]:
    """Check a plugin as its author does."""
    python = ["-m", "oasis_gan"] if pytest_installed else ["-c", NO_PYTEST]
    command = [sys.executable, *python, "plugins", "--check", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a plugin of every kind, something to read, and what must not disturb a check."""
    # Each example brings its own imports, and names of its own.
    (tmp_path / "mine.py").write_text("\n".join(example(hook) for hook in HOOKS))
    np.save(tmp_path / "brain.npy", np.ones((4, 5, 6)))
    (tmp_path / "conftest.py").write_text("raise SystemExit('not to be loaded')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    return tmp_path


def test_the_examples_of_the_documentation_keep_the_contract(folder: Path) -> None:
    done = check(folder, "mine.py", "--sample", "brain.npy")
    assert done.returncode == 0, done.stdout + done.stderr
    offers, counts = zip(*(line.split(": ") for line in done.stdout.splitlines()), strict=True)
    assert offers == ("dataset numpy on brain.npy", "model kind paint on .", "exporter numpy")
    assert all(re.fullmatch(r"[1-9]\d* checks kept, 0 broken, \d+ skipped", count) for count in counts)
    assert done.stderr == ""


def test_a_promise_that_is_broken_is_a_line_with_the_remedy(folder: Path) -> None:
    code = (folder / "mine.py").read_text()
    for before, after in BREAKING:
        assert before in code
        code = code.replace(before, after)
    (folder / "mine.py").write_text(code)
    done = check(folder, "mine.py", "--sample", "brain.npy")
    assert done.returncode == 1
    for said in (
        "dataset numpy on brain.npy: every scan is a volume with a place in space: brain.npy: voxels are bool: "
        "convert them to integers or floats",
        "model kind paint on .: answers are between 0 and 1: the answer reaches from 0 to 1.5: scale what the",
        "exporter numpy: a full disk leaves nothing: a failed `write` left ['a.npy']: write with oasis_gan.write_",
    ):
        assert [line for line in done.stdout.splitlines() if line.startswith(said)], done.stdout
    assert len(re.findall(r"checks kept, [1-9]\d* broken", done.stdout)) == 3
    assert "Traceback" not in done.stdout + done.stderr


def test_what_cannot_be_tried_is_not_passed(folder: Path) -> None:
    code = (folder / "mine.py").read_text().replace('shipped={"paint": Path()}', "shipped={}")
    (folder / "mine.py").write_text(code)
    done = check(folder, "mine.py", "--sample", "nothing.txt")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "dataset numpy: not checked; name a file or folder that it recognises with --sample",
        "model kind paint: not checked; name a folder with a trained model of it with --sample",
    ]
    (folder / "model").mkdir()
    (folder / "model" / "model.json").write_text('{"kind": "paint"}')
    done = check(folder, "mine.py", "--sample", "model", "--sample", "brain.npy")
    assert done.returncode == 0, done.stdout
    assert "model kind paint on model: " in done.stdout


def test_an_installed_plugin_is_checked_by_its_name(folder: Path) -> None:
    done = check(folder, "itk")
    assert done.returncode == 0, done.stdout
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["exporter metaimage", "exporter nrrd"]


def test_a_plugin_that_cannot_be_loaded_is_a_line(folder: Path) -> None:
    (folder / "mine.py").write_text("import no_such_module")
    done = check(folder, "mine.py")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert "No module named 'no_such_module'" in line


def test_a_plugin_that_is_not_installed_is_wrong_usage(folder: Path) -> None:
    done = check(folder, "nonsense")
    assert done.returncode == 2
    assert done.stderr == (
        "oasis-gan: --check: expected a plugin, found nonsense; name one that oasis-gan plugins lists, or a file .py\n"
    )


def test_without_pytest_it_says_how_to_get_it(folder: Path) -> None:
    done = check(folder, "mine.py", pytest_installed=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith("; pip install 'oasis-gan[testing]'")
    assert done.stdout == ""


def test_another_plugin_beside_the_one_to_check_is_refused(folder: Path) -> None:
    done = check(folder, "my_plugin.py", "--plugin", "other.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--check: expected one plugin, found --plugin other.py as well" in done.stderr
    assert len(done.stderr.splitlines()) == 1
