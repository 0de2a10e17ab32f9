"""A model folder may come from anybody: what is wrong with it is a line; nothing in it is executed, or fills memory."""

from __future__ import annotations

import base64
import hashlib
import json
import marshal
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import oasis_gan_pix2pix
import pytest
import safetensors.numpy
from kit.tool import oasis_gan

GOOD = next((Path(oasis_gan_pix2pix.__file__).parent / "models").glob("*/model.json")).parent
CARD, WEIGHTS = "model.json", "weights.safetensors"
MEMORY = 3 * 2**30
Change = Callable[[Path], object]

# Opens every folder as `oasis-gan run` does; a second process, so that memory is limited and
# nothing can hang.
OPENING = """
import json, sys
from pathlib import Path
from oasis_gan.cli.choosing import choose_model, choose_options, described, load_registry
from oasis_gan.errors import OasisGanError
from oasis_gan.plugin.model_references import ModelReference

registry, said = load_registry(()), {}
for folder in sorted(Path(sys.argv[1]).iterdir()):
    try:
        kind, path = choose_model(registry, str(folder))
        card = described(kind, path)
        ModelReference.of(kind, path, card, choose_options(card, {})).load()
        said[folder.name] = "accepted"
    except (OasisGanError, OSError) as error:
        said[folder.name] = str(error)
json.dump(said, sys.stdout)
"""


def card(**changes: Any) -> Change:  # noqa: ANN401 - any JSON
    """Change fields of ``model.json``; two underscores reach into an object."""

    def change(folder: Path) -> None:
        content = json.loads((folder / CARD).read_text())
        for name, value in changes.items():
            *tables, last = name.split("__")
            inner = content
            for table in tables:
                inner = inner[table]
            inner[last] = value
        (folder / CARD).write_text(json.dumps(content))

    return change


def weights(data: bytes) -> Change:
    """Replace the weights by other bytes, which ``model.json`` vouches for."""

    def change(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes(data)
        card(weights__bytes=len(data), weights__sha256=hashlib.sha256(data).hexdigest())(folder)

    return change


def changed_weights(change_one: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Change:
    """Replace the largest array of the weights, at both ends of texture, vouched for."""

    def change(folder: Path) -> None:
        arrays = safetensors.numpy.load((folder / WEIGHTS).read_bytes())
        largest = max(arrays, key=lambda name: arrays[name].size).removeprefix("smooth/")
        changed = {name: change_one(arrays[name].copy()) for name in (largest, f"smooth/{largest}")}
        weights(safetensors.numpy.save(arrays | changed))(folder)

    return change


def not_a_number(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flat[-1] = np.nan
    return array


def tensors(header: dict[str, Any], size: int = 100) -> bytes:
    """Return safetensors with a header of one's own."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)


def instead(name: str, make: Callable[[Path], object]) -> Change:
    """Put something else in the place of a file."""

    def change(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return change


def cut(name: str, size: int) -> Change:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size + size)


def flipped(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1000] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**31)


def keras_file(path: Path) -> None:
    """Write a Keras model with a Lambda layer that leaves a mark, members outside the folder, and a large JSON."""
    mark = path.parents[2] / "executed"
    code = base64.b64encode(
        marshal.dumps(compile(f"open({str(mark)!r}, 'w')", "x", "eval"))
    ).decode()
    function = {
        "class_name": "__lambda__",
        "config": {"code": code, "defaults": None, "closure": None},
    }
    layer = {"class_name": "Lambda", "config": {"name": "evil", "function": function}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}})
        )
        archive.writestr("../../executed", "by unpacking")
        archive.writestr("metadata.json", b" " * 2**26)


def zipped_weights(folder: Path) -> None:
    keras_file(folder / "model.keras")
    weights((folder / "model.keras").read_bytes())(folder)


def bystanders(folder: Path) -> None:
    """Lay down what other tools would load, or Python would run."""
    keras_file(folder / "model.keras")
    mark = folder.parents[1] / "executed"
    for name in ("__init__.py", "conftest.py", "sitecustomize.py"):
        (folder / name).write_text(f"open({str(mark)!r}, 'w')")
    (folder / "weights.pkl").write_bytes(b"cbuiltins\nopen\n(V" + os.fsencode(mark) + b"\nVw\ntR.")


def only_keras(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    keras_file(folder / "model.keras")


def padded(folder: Path) -> None:
    """Make a model.json of 200 MB that is valid JSON."""
    (folder / CARD).write_bytes((folder / CARD).read_bytes() + b" " * 200_000_000)


def twice(folder: Path) -> None:
    text = (folder / CARD).read_text()
    (folder / CARD).write_text(text.replace("{", '{"name": "other", ', 1))


def twice_within(folder: Path) -> None:
    text = (folder / CARD).read_text()
    (folder / CARD).write_text(text.replace('"size"', '"size": 16, "size"', 1))


def beyond(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.full(array.shape, 1e300)


ENDLESS = Path(os.devnull).with_name("zero")
CASES: dict[str, tuple[Change, str]] = {
    # Cut off, or changed.
    "card_cut": (cut(CARD, -40), "expected a model folder with a model.json"),
    "weights_cut": (cut(WEIGHTS, -10), "with SHA-256"),
    "weights_longer": (cut(WEIGHTS, 1), "found more"),
    "weights_flipped": (flipped, "with SHA-256"),
    "weights_nan": (changed_weights(not_a_number), "finite weights"),
    "weights_shape": (changed_weights(lambda array: array[:1]), "of shape"),
    "card_empty": (
        lambda folder: (folder / CARD).write_bytes(b""),
        "expected a model folder with a model.json",
    ),
    # Formats that are none.
    "card_pickle": (
        lambda folder: (folder / CARD).write_bytes(b"\x80\x04cbuiltins\nopen\n(Vexecuted\nVw\ntR."),
        "expected a model folder with a model.json",
    ),
    "weights_zip": (zipped_weights, "expected safetensors"),
    "only_keras": (
        only_keras,
        "model.json: expected a model folder with a model.json, found no such file",
    ),
    "safetensors_header": (weights((2**60).to_bytes(8, "little") + b"{}"), "expected safetensors"),
    "safetensors_shape": (
        weights(
            tensors({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 100]}})
        ),
        "expected safetensors",
    ),
    "safetensors_offsets": (
        weights(
            tensors({"a": {"dtype": "F32", "shape": [25], "data_offsets": [2**40, 2**40 + 100]}})
        ),
        "expected safetensors",
    ),
    # Files that are none.
    "card_pipe": (instead(CARD, os.mkfifo), "found no such file"),
    "weights_pipe": (instead(WEIGHTS, os.mkfifo), "expected a file of a model folder"),
    "card_endless": (instead(CARD, lambda path: path.symlink_to(ENDLESS)), "found no such file"),
    "weights_endless": (
        instead(WEIGHTS, lambda path: path.symlink_to(ENDLESS)),
        "expected a file of a model folder",
    ),
    "card_loop": (instead(CARD, lambda path: path.symlink_to(path)), "found no such file"),
    "weights_folder": (
        instead(WEIGHTS, lambda path: path.mkdir()),
        "expected a file of a model folder",
    ),
    "weights_of_another": (
        instead(WEIGHTS, lambda path: path.symlink_to(Path(__file__))),
        "with SHA-256",
    ),
    # Histograms that are none.
    "histogram_falls": (
        card(histogram={"tissues": {"GM": [0.5, 0.4]}, "strength": 1}),
        "rising quantiles",
    ),
    "histogram_far": (
        card(histogram={"tissues": {"GM": [-1e30, 1e30]}, "strength": 1}),
        "rising quantiles",
    ),
    "histogram_strong": (
        card(histogram={"tissues": {"GM": [0.4, 0.5]}, "strength": 1e9}),
        "rising quantiles",
    ),
    # More than memory holds, or a screen.
    "card_huge": (
        instead(CARD, sparse),
        "model.json: expected at most 1048576 bytes, found 2147483648 bytes",
    ),
    "card_padded": (padded, "model.json: expected at most 1048576 bytes, found 20"),
    "canvas_large": (card(canvas__size=4096), "canvas, where one of up to 724 pixels"),
    "canvas_steps": (card(canvas__multiple=2**20), "canvas, where one of up to 724 pixels"),
    "planes_many": (card(planes=["axial"] * 2000), "planes, where each plane once was expected"),
    "output_long": (card(output="x" * 300), "output, where at most 32 characters was expected"),
    "name_long": (card(name="x" * 300), "name, where at most 100 characters was expected"),
    "window_beyond": (
        card(target={"kind": "window", "values": [0, 1e300], "anchors": [0, 1]}),
        "target.values, where intensities of up to 1e+30 was expected",
    ),
    # Said twice.
    "key_twice": (twice, "model.json: expected each key once, found name twice"),
    "key_twice_within": (twice_within, "model.json: expected each key once, found size twice"),
    "weights_huge": (instead(WEIGHTS, sparse), "found more"),
    "card_deep": (
        lambda folder: (folder / CARD).write_text("[" * 500_000),
        "expected a model folder",
    ),
    "key_long": (card(**{"k" * 500_000: 1}), "expected a Pix2Pix model, found kkk"),
    "kind_long": (card(kind="k" * 500_000), "expected one of"),
    "kind_list": (card(kind=["k" * 500_000]), "expected the name of a kind of model"),
    "labels_many": (
        card(source__labels=[{"value": value + 1, "name": str(value)} for value in range(12_000)]),
        "canvas, where one of up to 74 pixels",
    ),
    "canvas_huge": (card(canvas__size=10**9), "canvas, where one of up to 724 pixels"),
    "canvas_fine": (card(canvas__spacing=1e-6), "0.1 to 100 mm apart, found one of"),
    "canvas_flat": (card(canvas__spacing=0), "mm apart"),
    "canvas_negative": (card(canvas__multiple=-32), "expected a canvas"),
    "canvas_nothing": (card(canvas__multiple=0), "expected a canvas"),
    "canvas_infinite": (card(canvas__spacing=float("inf")), "canvas.spacing"),
    "weights_claimed": (card(weights__bytes=2**40), "weights.bytes"),
    # Beyond what float32 holds.
    "weights_overflow": (changed_weights(beyond), "expected weights that float32 holds"),
    # Out of the folder.
    "weights_elsewhere": (card(weights__file=f"../good/{WEIGHTS}"), "weights.file"),
    "output_elsewhere": (card(output="../../T1w"), "output"),
    # What is sound stays usable.
    "good": (lambda folder: None, "accepted"),
    "good_with_bystanders": (bystanders, "accepted"),
    "good_by_link": (
        lambda folder: instead(WEIGHTS, lambda path: path.symlink_to(GOOD / WEIGHTS))(folder),
        "accepted",
    ),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of hostile model folders, and some good ones."""
    models = tmp_path_factory.mktemp("hostile") / "models"
    for name, (change, _) in CASES.items():
        (models / name).mkdir(parents=True)
        for file in (CARD, WEIGHTS):
            shutil.copy(GOOD / file, models / name)
        change(models / name)
    return models


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.fixture(scope="module")
def said(models: Path) -> dict[str, str]:
    """Return what the tool says of each folder."""
    done = subprocess.run(
        [sys.executable, "-c", OPENING, models],
        cwd=models,
        preexec_fn=limit_memory,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_model_folder_is_refused_in_a_line(said: dict[str, str], name: str) -> None:
    line = said[name]
    assert CASES[name][1] in line
    assert line.isprintable()
    assert len(line) < 3000


def test_nothing_in_a_model_folder_is_executed_or_unpacked(
    models: Path, said: dict[str, str]
) -> None:
    assert said
    assert [path.name for path in models.parent.rglob("executed")] == []


@pytest.mark.parametrize("name", ["card_pipe", "canvas_fine"])
def test_a_run_with_a_hostile_model_is_one_line_and_leaves_nothing(
    models: Path, tmp_path: Path, name: str
) -> None:
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.eye(4)), tmp_path / "a.nii")
    words = ("run", "a.nii", "--out", "out", "--model", models / name)
    done = oasis_gan(*words, cwd=tmp_path, preexec_fn=limit_memory)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert CASES[name][1] in line
    assert not (tmp_path / "out").exists()
