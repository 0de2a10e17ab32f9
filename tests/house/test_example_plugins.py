"""The plugins of `examples/plugins` keep their contracts, translate, and are short."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from kit.places import EXAMPLES
from kit.tool import oasis_gan, without_network

PLUGINS = sorted((EXAMPLES / "plugins").glob("*.py"))
LABELS = np.random.default_rng(0).integers(0, 4, (12, 14, 10)).astype(np.uint8)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.stem)
def test_an_example_has_fewer_than_60_lines(plugin: Path) -> None:
    assert len(plugin.read_text().splitlines()) < 60


READER = EXAMPLES / "plugins" / "hdf5_reader.py"
OBLIQUE = np.array(
    [[0.0, -1.2, -1.2, 40.0], [1.5, 0.0, 0.0, -70.0], [0.0, -0.9, 1.6, 10.0], [0.0, 0.0, 0.0, 1.0]]
)


def save_hdf5(path: Path) -> Path:
    """Write a label map as HDF5, and as NIfTI in a folder ``nifti`` beside; return its path."""
    nifti = path.parent / "nifti" / f"{path.stem}.nii.gz"
    nifti.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(LABELS, OBLIQUE), nifti)
    SimpleITK.WriteImage(SimpleITK.ReadImage(nifti), path, True)
    return path


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.stem)
def test_an_example_keeps_its_contract(plugin: Path, tmp_path: Path) -> None:
    sample = ("--sample", save_hdf5(tmp_path / "a.hdf5")) if plugin == READER else ()
    done = oasis_gan("plugins", "--check", plugin, *sample, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_reader_keeps_its_contract_for_a_folder(tmp_path: Path) -> None:
    save_hdf5(tmp_path / "heads" / "a.hdf5")
    save_hdf5(tmp_path / "heads" / "site" / "a.hdf5")
    done = oasis_gan("plugins", "--check", READER, "--sample", "heads", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


PAINT = ("--plugin", EXAMPLES / "plugins" / "volume_model.py", "--model", "blurred-paint")


def test_voxels_of_a_format_that_simpleitk_reads_stay_in_their_places(tmp_path: Path) -> None:
    save_hdf5(tmp_path / "seg.hdf5")
    words = ("--plugin", READER, *PAINT)
    read = oasis_gan("run", "seg.hdf5", *words, "--out", "from_hdf5", cwd=tmp_path)
    assert read.returncode == 0, read.stderr
    done = oasis_gan("run", "nifti/seg.nii.gz", *words, "--out", "from_nifti", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made, expected = (
        nib.Nifti1Image.from_filename(tmp_path / out / "seg_synthT1w.nii.gz")
        for out in ("from_hdf5", "from_nifti")
    )
    np.testing.assert_allclose(made.affine, expected.affine, atol=1e-6)
    np.testing.assert_array_equal(made.get_fdata(), expected.get_fdata())


def test_a_file_that_simpleitk_cannot_read_does_not_stop_the_others(tmp_path: Path) -> None:
    whole = save_hdf5(tmp_path / "heads" / "b.hdf5")
    (tmp_path / "heads" / "a.hdf5").write_bytes(whole.read_bytes()[:300])
    words = ("--dataset", "hdf5", "--plugin", READER, *PAINT)
    done = oasis_gan("run", "heads", *words, "--out", "out", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout.split() == ["out/b_synthT1w.nii.gz"]
    assert "failed - heads/a.hdf5: expected something that the dataset plugin hdf5 can read" in (
        done.stderr
    )


@pytest.mark.parametrize(
    ("plugin", "model"),
    [("volume_model", "blurred-paint"), ("neighbouring_slices", "neighbour-paint")],
)
def test_a_model_of_labels_translates(tmp_path: Path, plugin: str, model: str) -> None:
    nib.save(nib.Nifti1Image(LABELS, np.eye(4)), tmp_path / "seg.nii.gz")
    words = (
        "seg.nii.gz",
        "--plugin",
        EXAMPLES / "plugins" / f"{plugin}.py",
        "--model",
        model,
        "--out",
        "out",
    )
    done = oasis_gan("run", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / "out" / "seg_synthT1w.nii.gz").get_fdata()
    assert not made[LABELS == 0].any()
    assert made[LABELS > 0].min() > 0
    # Neighbours were looked at: a tissue has more than one grey.
    assert len(np.unique(made[LABELS == 2])) > 5


TWO_SOURCES = ("--plugin", EXAMPLES / "plugins" / "two_sources.py", "--model", "t1-t2-to-flair")


def save_greys(path: Path, seed: int) -> None:
    """Write an image of noise."""
    path.parent.mkdir(exist_ok=True)
    greys = np.random.default_rng(seed).uniform(50, 100, LABELS.shape).astype(np.float32)
    nib.save(nib.Nifti1Image(greys, np.eye(4)), path)


def test_a_model_of_two_sources_translates_two_files(tmp_path: Path) -> None:
    save_greys(tmp_path / "first.nii.gz", 1)
    save_greys(tmp_path / "second.nii.gz", 2)
    words = ("first.nii.gz", "--source", "t2=second.nii.gz", *TWO_SOURCES, "--out", "out")
    done = oasis_gan("run", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / "out" / "first_synthFLAIR.nii.gz").get_fdata()
    second = nib.Nifti1Image.from_filename(tmp_path / "second.nii.gz").get_fdata()
    # It weighs three quarters of the answer.
    assert np.corrcoef(made.ravel(), second.ravel())[0, 1] > 0.9


def test_a_model_of_two_sources_translates_a_cohort_in_two_folders(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save_greys(tmp_path / "t1" / f"{name}.nii.gz", 1)
    for name in ("a", "c"):
        save_greys(tmp_path / "t2" / f"{name}.nii.gz", 2)
    done = oasis_gan("run", "t1", "--source", "t2=t2", *TWO_SOURCES, "--out", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.split() == ["out/a_synthFLAIR.nii.gz", "out/c_synthFLAIR.nii.gz"]
    assert (
        "[2/3] failed - t1/b.nii.gz: expected a t2 beside it, found none; say where it is"
        in done.stderr
    )


def test_a_model_of_two_sources_finds_them_by_the_ends_of_their_names(tmp_path: Path) -> None:
    save_greys(tmp_path / "heads" / "s1_T1w.nii.gz", 1)
    save_greys(tmp_path / "heads" / "s1_T2w.nii.gz", 2)
    words = (
        "heads",
        "--source-suffix",
        "_T1w.nii.gz",
        "--source",
        "t2=_T2w",
        *TWO_SOURCES,
        "--out",
        "out",
    )
    done = oasis_gan("run", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "s1_synthFLAIR.nii.gz").exists()


def test_an_option_of_a_model_of_volumes_is_heeded(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(LABELS, np.eye(4)), tmp_path / "seg.nii.gz")
    plugin = ("--plugin", EXAMPLES / "plugins" / "volume_model.py", "--model", "blurred-paint")
    done = oasis_gan(
        "run", "seg.nii.gz", *plugin, "--option", "rounds=0", "--out", "out", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / "out" / "seg_synthT1w.nii.gz").get_fdata()
    np.testing.assert_allclose(made, np.array([0, 300, 550, 750])[LABELS], rtol=1e-6)


def test_label_maps_of_a_set_from_a_plugin_are_translated(tmp_path: Path) -> None:
    seg = np.random.default_rng(0).integers(0, 5, (12, 14, 10)).astype(np.uint8)
    nib.save(nib.Nifti1Image(seg, np.eye(4)), tmp_path / "map.nii.gz")
    files = [EXAMPLES / "plugins" / f"{name}.py" for name in ("a_label_set", "volume_model")]
    plugins = ("--plugin", files[0], "--plugin", files[1])
    model = ("--model", "blurred-paint", "--option", "rounds=0")
    done = oasis_gan(
        "run",
        "map.nii.gz",
        *plugins,
        *model,
        "--labels",
        "lesion-study",
        "--out",
        "out",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / "out" / "map_synthT1w.nii.gz").get_fdata()
    # A lesion is painted as white matter, as the set says.
    np.testing.assert_allclose(made, np.array([0, 550, 750, 300, 750])[seg], rtol=1e-6)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Install all examples as one package, and return the environment in which it is found."""
    folder = tmp_path_factory.mktemp("package")
    # A copy, since setuptools builds beside the source.
    source = folder / "source"
    shutil.copytree(EXAMPLES / "plugins", source)
    names = [plugin.stem for plugin in PLUGINS]
    entry_points = "\n".join(f'{name.replace("_", "-")} = "{name}"' for name in names)
    (source / "pyproject.toml").write_text(
        f"""[project]
name = "all-examples"
version = "1"

[project.entry-points.oasis_gan]
{entry_points}

[tool.setuptools]
py-modules = {names}
"""
    )
    environment = {**os.environ, **without_network(folder / "installed")}
    command = [sys.executable, "-m", "pip", "install", "--quiet", str(source)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return environment


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.stem)
def test_an_installed_example_keeps_its_contract(
    plugin: Path, installed: dict[str, str], tmp_path: Path
) -> None:
    sample = ("--sample", save_hdf5(tmp_path / "a.hdf5")) if plugin == READER else ()
    name = plugin.stem.replace("_", "-")
    done = oasis_gan("plugins", "--check", name, *sample, cwd=tmp_path, env=installed)
    assert done.returncode == 0, done.stdout + done.stderr


def test_installed_examples_need_no_option_to_be_found(
    installed: dict[str, str], tmp_path: Path
) -> None:
    source = save_hdf5(tmp_path / "seg.hdf5")
    model = ("--model", "blurred-paint", "--option", "rounds=0")
    done = oasis_gan("run", source, *model, "--out", "out", cwd=tmp_path, env=installed)
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / "out" / "seg_synthT1w.nii.gz").get_fdata()
    np.testing.assert_allclose(made, np.array([0, 300, 550, 750])[LABELS], rtol=1e-6)
