"""A hostile model folder is refused in one line, and nothing in it is executed or fills memory."""

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
MODEL_JSON = "model.json"
WEIGHTS = "weights.safetensors"
MEMORY = 3 * 2**30
Change = Callable[[Path], object]

# Opens every folder as `oasis-gan run` does; a second process, so that memory is limited and
# nothing can hang.
OPENING = """
import json, sys
from pathlib import Path
from oasis_gan.cli.choosing import choose_model, choose_options, load_registry, read_card
from oasis_gan.errors import OasisGanError
from oasis_gan.plugin.model_references import ModelReference

registry = load_registry(())
messages = {}
for folder in sorted(Path(sys.argv[1]).iterdir()):
    try:
        kind, path = choose_model(registry, str(folder))
        card = read_card(kind, path)
        ModelReference.of(kind, path, card, choose_options(card, {})).load()
        messages[folder.name] = "accepted"
    except (OasisGanError, OSError) as error:
        messages[folder.name] = str(error)
json.dump(messages, sys.stdout)
"""


def change_json(**changes: Any) -> Change:  # noqa: ANN401 - any JSON
    """Change fields of ``model.json``; two underscores reach into an object."""

    def change(folder: Path) -> None:
        content = json.loads((folder / MODEL_JSON).read_text())
        for name, value in changes.items():
            *tables, last = name.split("__")
            inner = content
            for table in tables:
                inner = inner[table]
            inner[last] = value
        (folder / MODEL_JSON).write_text(json.dumps(content))

    return change


def replace_weights(data: bytes) -> Change:
    """Replace the weights by other bytes, with a valid checksum in ``model.json``."""

    def change(folder: Path) -> None:
        (folder / WEIGHTS).write_bytes(data)
        change_json(weights__bytes=len(data), weights__sha256=hashlib.sha256(data).hexdigest())(
            folder
        )

    return change


def change_weights(change_one: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Change:
    """Replace the largest array at both ends of texture, with a valid checksum."""

    def change(folder: Path) -> None:
        arrays = safetensors.numpy.load((folder / WEIGHTS).read_bytes())
        largest = max(arrays, key=lambda name: arrays[name].size).removeprefix("smooth/")
        changed = {name: change_one(arrays[name].copy()) for name in (largest, f"smooth/{largest}")}
        replace_weights(safetensors.numpy.save(arrays | changed))(folder)

    return change


def set_nan(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flat[-1] = np.nan
    return array


def make_tensors(header: dict[str, Any], size: int = 100) -> bytes:
    """Return safetensors with any header."""
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)


def replace_file(name: str, make: Callable[[Path], object]) -> Change:
    """Replace a file by something else."""

    def change(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return change


def cut_file(name: str, size: int) -> Change:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size + size)


def flip_bit(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1000] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def write_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**31)


def write_keras_file(path: Path) -> None:
    """Write a Keras model with a Lambda layer, members outside the folder, and a large JSON."""
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


def write_zipped_weights(folder: Path) -> None:
    write_keras_file(folder / "model.keras")
    replace_weights((folder / "model.keras").read_bytes())(folder)


def add_bystanders(folder: Path) -> None:
    """Add files that other tools would load, or Python would run."""
    write_keras_file(folder / "model.keras")
    mark = folder.parents[1] / "executed"
    for name in ("__init__.py", "conftest.py", "sitecustomize.py"):
        (folder / name).write_text(f"open({str(mark)!r}, 'w')")
    (folder / "weights.pkl").write_bytes(b"cbuiltins\nopen\n(V" + os.fsencode(mark) + b"\nVw\ntR.")


def leave_only_keras(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    write_keras_file(folder / "model.keras")


def pad_json(folder: Path) -> None:
    """Make a model.json of 200 MB that is valid JSON."""
    (folder / MODEL_JSON).write_bytes((folder / MODEL_JSON).read_bytes() + b" " * 200_000_000)


def repeat_key(folder: Path) -> None:
    text = (folder / MODEL_JSON).read_text()
    (folder / MODEL_JSON).write_text(text.replace("{", '{"name": "other", ', 1))


def repeat_inner_key(folder: Path) -> None:
    text = (folder / MODEL_JSON).read_text()
    (folder / MODEL_JSON).write_text(text.replace('"size"', '"size": 16, "size"', 1))


def make_too_large(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.full(array.shape, 1e300)


ENDLESS = Path(os.devnull).with_name("zero")
CASES: dict[str, tuple[Change, str]] = {
    # Truncated or changed files.
    "card_cut": (cut_file(MODEL_JSON, -40), "expected a model folder with a model.json"),
    "weights_cut": (cut_file(WEIGHTS, -10), "with SHA-256"),
    "weights_longer": (cut_file(WEIGHTS, 1), "found more"),
    "weights_flipped": (flip_bit, "with SHA-256"),
    "weights_nan": (change_weights(set_nan), "finite weights"),
    "weights_shape": (change_weights(lambda array: array[:1]), "of shape"),
    "card_empty": (
        lambda folder: (folder / MODEL_JSON).write_bytes(b""),
        "expected a model folder with a model.json",
    ),
    # Other formats.
    "card_pickle": (
        lambda folder: (folder / MODEL_JSON).write_bytes(
            b"\x80\x04cbuiltins\nopen\n(Vexecuted\nVw\ntR."
        ),
        "expected a model folder with a model.json",
    ),
    "weights_zip": (write_zipped_weights, "expected safetensors"),
    "only_keras": (
        leave_only_keras,
        "model.json: expected a model folder with a model.json, found no such file",
    ),
    "safetensors_header": (
        replace_weights((2**60).to_bytes(8, "little") + b"{}"),
        "expected safetensors",
    ),
    "safetensors_shape": (
        replace_weights(
            make_tensors({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 100]}})
        ),
        "expected safetensors",
    ),
    "safetensors_offsets": (
        replace_weights(
            make_tensors(
                {"a": {"dtype": "F32", "shape": [25], "data_offsets": [2**40, 2**40 + 100]}}
            )
        ),
        "expected safetensors",
    ),
    # Things that are not regular files.
    "card_pipe": (replace_file(MODEL_JSON, os.mkfifo), "found no such file"),
    "weights_pipe": (replace_file(WEIGHTS, os.mkfifo), "expected a file of a model folder"),
    "card_endless": (
        replace_file(MODEL_JSON, lambda path: path.symlink_to(ENDLESS)),
        "found no such file",
    ),
    "weights_endless": (
        replace_file(WEIGHTS, lambda path: path.symlink_to(ENDLESS)),
        "expected a file of a model folder",
    ),
    "card_loop": (
        replace_file(MODEL_JSON, lambda path: path.symlink_to(path)),
        "found no such file",
    ),
    "weights_folder": (
        replace_file(WEIGHTS, lambda path: path.mkdir()),
        "expected a file of a model folder",
    ),
    "weights_of_another": (
        replace_file(WEIGHTS, lambda path: path.symlink_to(Path(__file__))),
        "with SHA-256",
    ),
    # Invalid histograms.
    "histogram_falls": (
        change_json(histogram={"tissues": {"GM": [0.5, 0.4]}, "strength": 1}),
        "rising quantiles",
    ),
    "histogram_far": (
        change_json(histogram={"tissues": {"GM": [-1e30, 1e30]}, "strength": 1}),
        "rising quantiles",
    ),
    "histogram_strong": (
        change_json(histogram={"tissues": {"GM": [0.4, 0.5]}, "strength": 1e9}),
        "rising quantiles",
    ),
    # Too large for the memory, or for a screen.
    "card_huge": (
        replace_file(MODEL_JSON, write_sparse),
        "model.json: expected at most 1048576 bytes, found 2147483648 bytes",
    ),
    "card_padded": (pad_json, "model.json: expected at most 1048576 bytes, found 20"),
    "canvas_large": (change_json(canvas__size=4096), "canvas, where one of up to 724 pixels"),
    "canvas_steps": (change_json(canvas__multiple=2**20), "canvas, where one of up to 724 pixels"),
    "planes_many": (
        change_json(planes=["axial"] * 2000),
        "planes, where each plane once was expected",
    ),
    "output_long": (
        change_json(output="x" * 300),
        "output, where at most 32 characters was expected",
    ),
    "name_long": (change_json(name="x" * 300), "name, where at most 100 characters was expected"),
    "window_beyond": (
        change_json(target={"kind": "window", "values": [0, 1e300], "anchors": [0, 1]}),
        "target.values, where intensities of up to 1e+30 was expected",
    ),
    # Repeated keys.
    "key_twice": (repeat_key, "model.json: expected each key once, found name twice"),
    "key_twice_within": (repeat_inner_key, "model.json: expected each key once, found size twice"),
    "weights_huge": (replace_file(WEIGHTS, write_sparse), "found more"),
    "card_deep": (
        lambda folder: (folder / MODEL_JSON).write_text("[" * 500_000),
        "expected a model folder",
    ),
    "key_long": (change_json(**{"k" * 500_000: 1}), "expected a Pix2Pix model, found kkk"),
    "kind_long": (change_json(kind="k" * 500_000), "expected one of"),
    "kind_list": (change_json(kind=["k" * 500_000]), "expected the name of a kind of model"),
    "labels_many": (
        change_json(
            source__labels=[{"value": value + 1, "name": str(value)} for value in range(12_000)]
        ),
        "canvas, where one of up to 74 pixels",
    ),
    "canvas_huge": (change_json(canvas__size=10**9), "canvas, where one of up to 724 pixels"),
    "canvas_fine": (change_json(canvas__spacing=1e-6), "0.1 to 100 mm apart, found one of"),
    "canvas_flat": (change_json(canvas__spacing=0), "mm apart"),
    "canvas_negative": (change_json(canvas__multiple=-32), "expected a canvas"),
    "canvas_nothing": (change_json(canvas__multiple=0), "expected a canvas"),
    "canvas_infinite": (change_json(canvas__spacing=float("inf")), "canvas.spacing"),
    "weights_claimed": (change_json(weights__bytes=2**40), "weights.bytes"),
    # Too large for float32.
    "weights_overflow": (change_weights(make_too_large), "expected weights that float32 holds"),
    # Paths outside the folder.
    "weights_elsewhere": (change_json(weights__file=f"../good/{WEIGHTS}"), "weights.file"),
    "output_elsewhere": (change_json(output="../../T1w"), "output"),
    # Sound folders stay usable.
    "good": (lambda folder: None, "accepted"),
    "good_with_bystanders": (add_bystanders, "accepted"),
    "good_by_link": (
        lambda folder: replace_file(WEIGHTS, lambda path: path.symlink_to(GOOD / WEIGHTS))(folder),
        "accepted",
    ),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of hostile model folders, and some good ones."""
    models = tmp_path_factory.mktemp("hostile") / "models"
    for name, (change, _) in CASES.items():
        (models / name).mkdir(parents=True)
        for file in (MODEL_JSON, WEIGHTS):
            shutil.copy(GOOD / file, models / name)
        change(models / name)
    return models


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.fixture(scope="module")
def messages(models: Path) -> dict[str, str]:
    """Return the message of the tool about each folder."""
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
def test_a_hostile_model_folder_is_refused_in_one_line(messages: dict[str, str], name: str) -> None:
    line = messages[name]
    assert CASES[name][1] in line
    assert line.isprintable()
    assert len(line) < 3000


def test_nothing_in_a_model_folder_is_executed_or_unpacked(
    models: Path, messages: dict[str, str]
) -> None:
    assert messages
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
