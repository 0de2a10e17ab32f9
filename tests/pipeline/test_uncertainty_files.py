"""`oasis-gan run --uncertainty`: the map and the volume are one output, whatever happens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import oasis_gan

PLUGIN = """
from pathlib import Path
import numpy as np
from oasis_gan import (
    OASIS, Canvas, ModelCard, ModelKind, Plane, Window, hookimpl, plane_option, slicewise,
    uncertainty_option,
)

PLANES = (Plane.AXIAL, Plane.CORONAL)
OPTIONS = (plane_option(PLANES), uncertainty_option())

def card(folder):
    options = OPTIONS if folder.name == "planes" else OPTIONS[:1]
    return ModelCard(
        name=folder.name, version="1", sources={"labels": OASIS}, target=Window((0, 100), (0, 1)),
        output="T1w", weights_sha256="0" * 64, options=options,
    )

def predict(slices, mask):
    # Axial slices have 7 columns, coronal ones 8.
    grey = 0.2 if slices.shape[2] == 7 else 0.6
    return np.full((*slices.shape[:3], 1), grey, np.float32)

def load(folder, plane="auto", uncertainty=False):
    canvas = Canvas(1.0, size=1, multiple=1)
    return slicewise(
        predict, card(folder), planes=PLANES, canvas=canvas, plane=plane, uncertainty=uncertainty
    )

@hookimpl
def oasis_gan_models():
    shipped = {"planes": Path("planes"), "certain": Path("certain")}
    yield ModelKind(name="planes", summary="A grey a plane", card=card, load=load, shipped=shipped)
"""
MAP = "a_desc-synthT1w_stdmap.nii.gz"
VOLUME = "a_synthT1w.nii.gz"


class Place:
    """A folder with a label map, a plugin, and the outputs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        labels = np.full((6, 7, 8), 2, np.uint8)
        labels[0] = 0
        nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / "a.nii.gz")
        (folder / "planes.py").write_text(PLUGIN)

    def run(
        self, *words: str, source: str = "a.nii.gz", model: str = "planes"
    ) -> subprocess.CompletedProcess[str]:
        given = ("--plugin", "planes.py", "--model", model, "--out", "out")
        return oasis_gan("run", source, *given, *words, cwd=self.folder)

    def write_map(self) -> None:
        done = self.run("--uncertainty")
        assert done.returncode == 0, done.stderr

    def contents(self) -> dict[str, bytes]:
        """Return the files of the output."""
        return {path.name: path.read_bytes() for path in sorted(self.out.glob("a_*"))}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_map_lies_beside_the_volume_on_its_grid_with_a_sidecar(place: Place) -> None:
    place.write_map()
    found = nib.Nifti1Image.from_filename(place.out / MAP)
    expected = np.full((6, 7, 8), 20.0)
    expected[0] = 0
    np.testing.assert_allclose(found.get_fdata(), expected, rtol=1e-5)
    assert np.array_equal(found.affine, np.eye(4))
    said = json.loads((place.out / "a_desc-synthT1w_stdmap.json").read_text())
    assert said["synthetic"] is True
    assert (said["map"], said["of"]) == ("uncertainty", VOLUME)
    volume = json.loads((place.out / "a_synthT1w.json").read_text())
    assert volume["options"]["uncertainty"] is True
    assert MAP in {part["file"] for part in volume["volume"]["parts"]}


def test_the_volume_is_the_same_file_with_and_without_a_map(place: Place) -> None:
    place.write_map()
    with_map = place.contents()[VOLUME]
    done = place.run("--overwrite")
    assert done.returncode == 0, done.stderr
    assert place.contents()[VOLUME] == with_map


def test_an_output_without_a_map_says_nothing_of_uncertainty(place: Place) -> None:
    assert place.run().returncode == 0
    assert "uncertainty" not in (place.out / "a_synthT1w.json").read_text()
    assert set(place.contents()) == {"a_synthT1w.json", VOLUME}


def test_an_output_with_its_map_is_skipped(place: Place) -> None:
    place.write_map()
    before = place.contents()
    done = place.run("--uncertainty")
    assert "already there" in done.stderr
    assert place.contents() == before


@pytest.mark.parametrize(
    "missing",
    [
        [MAP],
        [VOLUME],
        ["a_synthT1w.json"],
        ["a_desc-synthT1w_stdmap.json"],
        [VOLUME, "a_synthT1w.json"],
        [VOLUME, "a_synthT1w.json", MAP],
    ],
)
def test_a_subject_that_is_half_written_is_made_again(place: Place, missing: list[str]) -> None:
    place.write_map()
    before = place.contents()
    for name in missing:
        (place.out / name).unlink()
    done = place.run("--uncertainty")
    assert done.returncode == 0, done.stderr
    assert "made again" in done.stderr
    assert place.contents() == before


def test_a_map_that_was_changed_is_not_taken_for_ours(place: Place) -> None:
    place.write_map()
    (place.out / MAP).write_bytes(b"edited")
    done = place.run("--uncertainty")
    assert done.returncode == 1
    assert f"another {MAP}" in done.stderr


def test_an_output_without_a_map_is_not_taken_for_one_with_it(place: Place) -> None:
    assert place.run().returncode == 0
    done = place.run("--uncertainty")
    assert done.returncode == 1
    assert "one with another uncertainty" in done.stderr


def test_an_output_that_is_made_again_without_a_map_leaves_no_old_map(place: Place) -> None:
    place.write_map()
    assert place.run("--overwrite").returncode == 0
    assert set(place.contents()) == {"a_synthT1w.json", VOLUME}


@pytest.mark.parametrize("words", [(), ("--source-suffix", "_stdmap"), ("--source-suffix", "map")])
def test_maps_are_never_sources(place: Place, words: tuple[str, ...]) -> None:
    place.write_map()
    for command in ("run", "check"):
        rest = ("--model", "planes", "--out", "again") if command == "run" else ()
        done = oasis_gan(command, "out", "--plugin", "planes.py", *words, *rest, cwd=place.folder)
        assert done.returncode != 0
        assert "of oasis-gan and nothing else" in done.stdout + done.stderr


def test_sources_are_found_among_outputs_and_maps(place: Place) -> None:
    place.write_map()
    (place.folder / "a.nii.gz").rename(place.out / "a.nii.gz")
    done = place.run(source="out")
    assert done.returncode == 1, done.stderr
    assert "2 outputs of oasis-gan left out" in done.stderr


@pytest.mark.parametrize(
    "exporter", ["nifti", "nifti-uncompressed", "nrrd", "metaimage", "oasis-png"]
)
def test_every_exporter_writes_the_map(place: Place, exporter: str) -> None:
    done = place.run("--uncertainty", "--exporter", exporter)
    assert done.returncode == 0, done.stderr
    names = [name for name in place.contents() if not name.endswith(".json")]
    assert len(names) == 2


def test_a_model_that_says_nothing_of_its_uncertainty_is_one_line(place: Place) -> None:
    done = place.run("--uncertainty", model="certain")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "--uncertainty: expected an option of certain (plane), found uncertainty;" in line
    assert not place.out.exists()
