"""The wheel holds every package, the model and its card, and works outside the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from kit.places import ROOT

MODEL = "oasis_gan_pix2pix/models/tissue-to-t1w"
SEGMENTER = "oasis_gan_meshnet/models/t1w-to-structures"


def call(*words: object, cwd: Path, **environment: str) -> str:
    process = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stderr + process.stdout
    return process.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from a copy: a stale build folder in the checkout must not get in."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("oasis_gan", "plugins"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    call(
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        "dist",
        ".",
        cwd=folder,
    )
    (path,) = (folder / "dist").glob("*.whl")
    return path


def test_the_wheel_holds_packages_model_recipe_and_notices_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    packages = {"oasis_gan", *(path.parent.name for path in ROOT.glob("plugins/*/__init__.py"))}
    assert {name.split("/")[0].removesuffix("-0.1.0.dist-info") for name in names} == packages
    for model in (MODEL, SEGMENTER):
        for name in ("model.json", "weights.safetensors", "MODEL_CARD.md"):
            assert f"{model}/{name}" in names
    for path in (ROOT / "oasis_gan" / "report" / "page").iterdir():
        assert f"oasis_gan/report/page/{path.name}" in names
    assert "oasis_gan_pix2pix/recipes/tissue-to-t1w.toml" in names
    # What `oasis-gan plugins new` writes.
    for path in (ROOT / "oasis_gan" / "cli" / "plugin_project").iterdir():
        assert f"oasis_gan/cli/plugin_project/{path.name}" in names
    assert {f"{package}/py.typed" for package in packages} <= names
    # What is public, and imported when it is first asked for.
    assert {"oasis_gan/__init__.pyi", "oasis_gan_keras/__init__.pyi"} <= names
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}


def test_the_wheel_works_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    call("-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel, cwd=tmp_path)
    models = call("-m", "oasis_gan", "models", cwd=tmp_path, PYTHONPATH=str(target))
    assert str(target / MODEL) in models
    assert str(target / SEGMENTER) in models
    plugins = call("-m", "oasis_gan", "plugins", cwd=tmp_path, PYTHONPATH=str(target))
    assert "broken" not in plugins
    offers = [line.split()[:2] for line in plugins.splitlines() if "(oasis-gan)" in line]
    assert {("dataset", "nifti"), ("exporter", "nifti"), ("exporter", "nrrd")} <= {
        (kind, name) for kind, name in offers
    }
    assert "model kind  pix2pix" in plugins
