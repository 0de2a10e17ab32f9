"""The example plugins and the tutorial work to the letter where the tool is installed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.places import ROOT
from kit.tool import without_network

EXAMPLE = ROOT / "examples" / "numpy_reader"
TEMPLATE = ROOT / "examples" / "plugin_template"
TUTORIAL = (ROOT / "docs" / "first-plugin.md").read_text("utf-8")
FILES = dict(
    re.findall(r"^Save as `([^`]+)`:\n\n```\w+\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
)
STEPS = re.compile(
    r"^Save as `(?P<file>[^`]+)`:$|^```console\n(?P<console>.*?)^```$", re.MULTILINE | re.DOTALL
)


def run(command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in the environment of these tests; both streams come as one."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def save_label_map(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Save an archive on a grid of 1 mm, and return its affine."""
    affine = nib.affines.from_matvec(np.eye(3)[[1, 2, 0]] @ np.diag([1, -1, 1]), (5, -7, 11))
    np.savez(path, voxels=np.random.default_rng(0).integers(0, 4, (7, 8, 9)), affine=affine)
    return np.asarray(affine)


def assert_painted(folder: Path, options: str, **environment: str) -> None:
    """Translate an archive with the tutorial's model, and look for every voxel in its place."""
    affine = save_label_map(folder / "x.npz")
    (folder / "paint.py").write_text(FILES["paint.py"])
    process = run(
        f"oasis-gan run x.npz --out out --plugin paint.py --model paint {options}",
        folder,
        **environment,
    )
    assert process.returncode == 0, process.stdout
    image = nib.Nifti1Image.from_filename(folder / "out" / "x_synthpaint.nii.gz")
    np.testing.assert_allclose(image.affine, affine, atol=1e-6)
    with np.load(folder / "x.npz") as archive:
        np.testing.assert_allclose(
            image.get_fdata(), np.array([0, 300, 550, 750])[archive["voxels"]], rtol=1e-6
        )


def test_the_example_works_as_a_file(tmp_path: Path) -> None:
    assert_painted(tmp_path, f"--plugin '{EXAMPLE / 'oasis_gan_numpy_reader.py'}'")


def test_the_example_works_when_it_is_installed(tmp_path: Path) -> None:
    # A copy, since setuptools builds beside the source.
    source = tmp_path / "source"
    target = tmp_path / "installed"
    shutil.copytree(EXAMPLE, source)
    environment = without_network(target)
    process = run("python -m pip install .", source, **environment)
    assert process.returncode == 0, process.stdout
    listed = run("oasis-gan plugins", tmp_path, **environment).stdout
    assert re.search(
        r"^dataset +npz +numpy-reader \(oasis-gan-numpy-reader\)", listed, re.MULTILINE
    ), listed
    assert_painted(tmp_path, "", **environment)


@pytest.mark.parametrize("example", [EXAMPLE, TEMPLATE], ids=lambda path: path.name)
def test_an_example_keeps_the_contract(example: Path) -> None:
    process = run("python -m pytest -p no:cacheprovider .", example)
    assert process.returncode == 0, process.stdout


def test_the_template_works_from_end_to_end(tmp_path: Path) -> None:
    labels = np.random.default_rng(0).integers(0, 4, (5, 6, 7))
    np.save(tmp_path / "brain.npy", labels)
    plugin = shlex.quote(str(TEMPLATE / "my_plugin.py"))
    process = run(f"oasis-gan plugins --check {plugin} --sample brain.npy", tmp_path)
    assert process.returncode == 0, process.stdout
    counted = [line for line in process.stdout.splitlines() if "checks kept" in line]
    assert [line.split(" on ")[0].split(":")[0] for line in counted] == [
        "dataset my-plugin",
        "model kind my-plugin",
        "exporter my-plugin",
    ]
    options = f"--plugin {plugin} --model my-plugin --exporter my-plugin --out out"
    process = run(f"oasis-gan run brain.npy {options}", tmp_path)
    assert process.returncode == 0, process.stdout
    made = np.load(tmp_path / "out" / "brain_synthpaint.npy")
    np.testing.assert_allclose(made, np.array([0, 300, 550, 750])[labels], rtol=1e-6)


def test_the_template_is_packaged_as_the_example_is() -> None:
    """What pip does with the one it does with the other: only names differ."""
    packaging = [(folder / "pyproject.toml").read_text() for folder in (EXAMPLE, TEMPLATE)]
    settings = [tomllib.loads(text) for text in packaging]
    for folder, setting in zip((EXAMPLE, TEMPLATE), settings, strict=True):
        (module,) = setting["tool"]["setuptools"]["py-modules"]
        assert list(setting["project"]["entry-points"]["oasis_gan"].values()) == [module]
        assert (folder / f"{module}.py").is_file()
    assert settings[0]["build-system"] == settings[1]["build-system"]
    assert (
        settings[0]["project"]["optional-dependencies"]
        == settings[1]["project"]["optional-dependencies"]
    )


def test_a_benchmark_without_its_package_says_how_to_get_it(tmp_path: Path) -> None:
    script = str(ROOT / "tests/benchmarks/quality.py")
    without = f"import runpy, sys; sys.modules['skimage'] = None; runpy.run_path({script!r})"
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("; run pip install scikit-image")


def dialogues(text: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, and what each prints."""
    return [
        (command, output)
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    ]


def without_seconds(text: str) -> str:
    return re.sub(r"\d+\.\d+ ?s\b", "N s", text)


def test_the_tutorial_can_be_followed_to_the_letter(tmp_path: Path) -> None:
    folder = tmp_path / "tutorial"
    folder.mkdir()
    environment = {**without_network(tmp_path / "installed"), "COLUMNS": "80"}
    commands = 0
    for step in STEPS.finditer(TUTORIAL):
        if name := step["file"]:
            (folder / name).write_text(FILES[name])
        for command, output in dialogues(step["console"] or ""):
            process = run(command, folder, **environment)
            assert without_seconds(process.stdout) == without_seconds(output), command
            assert process.returncode == 0, command
            commands += 1
    assert commands == TUTORIAL.count("\n$ ") > 5


def test_every_block_of_the_tutorial_is_saved_or_run() -> None:
    blocks = re.findall(r"^```(\w+)$", TUTORIAL, re.MULTILINE)
    assert len(blocks) == len(FILES) + blocks.count("console")


def test_what_the_tutorial_says_of_folders_is_true(tmp_path: Path) -> None:
    (tmp_path / "my_reader.py").write_text(FILES["my_reader.py"])
    test = FILES["test_my_reader.py"].replace(
        'Selection(tmp_path / "brain.npy")', "Selection(tmp_path)"
    )
    (tmp_path / "test_my_reader.py").write_text(test)
    process = run("python -m pytest -q test_my_reader.py", tmp_path)
    assert "1 failed" in process.stdout
    assert "`recognises` denied" in process.stdout


@pytest.mark.parametrize("name", ["my_reader.py", "paint.py", "test_my_reader.py"])
def test_tutorial_and_docstrings_show_the_same_code(name: str) -> None:
    where = "testing/__init__.py" if name.startswith("test_") else "plugin/hookspecs.py"
    lines = {line.strip() for line in (ROOT / "oasis_gan" / where).read_text("utf-8").splitlines()}
    assert [line for line in FILES[name].splitlines() if line.strip() not in lines] == []
