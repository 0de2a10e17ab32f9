"""A faulty model folder is refused in one line, and nothing in it is executed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_meshnet
import pytest
import safetensors.numpy
from kit.meshnet import LABELS, LAYERS, SHIPPED, make_weights, save_model
from oasis_gan_meshnet.model_folder import read_model_file, read_weights

from oasis_gan import OasisGanError

LAYER = LAYERS[0].model_dump()
OTHERS = [layer.model_dump() for layer in LAYERS[1:]]


def read(folder: Path) -> None:
    read_weights(folder, read_model_file(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_model(tmp_path / "tiny", make_weights())


def refuse(folder: Path) -> str:
    """Return the one line with which loading the model in a folder is refused."""
    with pytest.raises(OasisGanError) as error:
        oasis_gan_meshnet.load(folder)
    line = str(error.value)
    assert "\n" not in line
    assert str(folder) in line
    return line


def test_a_whole_folder_is_accepted(folder: Path) -> None:
    read(folder)


def test_the_shipped_folder_is_what_its_card_says() -> None:
    read(SHIPPED)
    card = oasis_gan_meshnet.card(SHIPPED)
    assert card.name == SHIPPED.name == "t1w-to-structures"
    assert card.output == "dseg"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"format": 2}, "format"),
        ({"name": "two words"}, "name, where letters, digits"),
        ({"layers": []}, "layers, where a list of at least 1"),
        ({"layers": [LAYER] * 65}, "layers, where a list of at most 64"),
        ({"layers": [LAYER, LAYER, *OTHERS]}, "layers, where layers of distinct names"),
        ({"layers": [{**LAYER, "kernel": 5}, *OTHERS]}, "layers.0.kernel"),
        (
            {"layers": [{**LAYER, "dilation": 0}, *OTHERS]},
            "layers.0.dilation, where a number of at least 1",
        ),
        (
            {"layers": [{**LAYER, "dilation": 10**9}, *OTHERS]},
            "layers.0.dilation, where a number of at most 32",
        ),
        (
            {"layers": [{**LAYER, "filters": 10**9}, *OTHERS]},
            "layers.0.filters, where a number of at most 256",
        ),
        ({"layers": [{**LAYER, "name": "../x"}, *OTHERS]}, "layers.0.name"),
        (
            {"layers": [{**LAYER, "code": "print(1)"}, *OTHERS]},
            "layers.0.code, which no such model has",
        ),
        ({"labels": LABELS[:2]}, "expected 3 labels, as the last layer has filters, found 2"),
        ({"labels": ["a", "b", "b"]}, "labels, where labels of distinct, printable names"),
        ({"labels": ["a", "b", "c\n4\td"]}, "labels, where labels of distinct, printable names"),
        ({"weights": {"file": "/etc/passwd", "bytes": 1, "sha256": "0" * 64}}, "weights.file"),
        (
            {"weights": {"bytes": 10**12, "sha256": "0" * 64}},
            "weights.bytes, where a number of at most",
        ),
        ({"weights": {"bytes": 100, "sha256": "0"}}, "weights.sha256, where 64 digits"),
        ({"run": "rm"}, "run, which no such model has"),
    ],
)
def test_a_card_that_describes_no_model_is_refused(
    changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert expected in refuse(save_model(tmp_path / "model", make_weights(), **changes))


def write(text: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(text)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (Path.unlink, "found no such file"),
        (put_folder, "found no such file"),
        (write(b""), "JSON"),
        (write(b"\xff\xfe"), "JSON"),
        (write(b"[1]"), "a MeshNet model"),
        (write(b'{"format": 1, "format": 1}'), "format"),
        (write(b" " * (2**20 + 1)), "at most 1048576 bytes"),
    ],
)
def test_a_damaged_card_is_refused(
    spoil: Callable[[Path], object], expected: str, folder: Path
) -> None:
    spoil(folder / "model.json")
    assert expected in refuse(folder)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (Path.unlink, "found no such file"),
        (put_folder, "found no such file"),
        (write(b""), "SHA-256"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "SHA-256"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "SHA-256"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "found more"),
    ],
)
def test_weights_that_are_not_those_of_the_card_are_refused(
    spoil: Callable[[Path], object], expected: str, folder: Path
) -> None:
    spoil(folder / "weights.safetensors")
    assert expected in refuse(folder)


def without_a_bias(weights: dict[str, Any]) -> None:
    del weights["second/bias"]


def with_another_shape(weights: dict[str, Any]) -> None:
    weights["second/kernel"] = weights["second/kernel"][..., :-1]


def with_more(weights: dict[str, Any]) -> None:
    weights["more"] = np.zeros(3, np.float32)


def with_nan(weights: dict[str, Any]) -> None:
    weights["third/kernel"][0, 0, 0, 0, 0] = np.nan


def with_infinity(weights: dict[str, Any]) -> None:
    weights["output/bias"][0] = np.inf


def in_float64(weights: dict[str, Any]) -> None:
    weights["output/bias"] = weights["output/bias"].astype(np.float64)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without_a_bias, r"expected second/bias of shape (5,), found none"),
        (
            with_another_shape,
            r"expected second/kernel of shape (3, 3, 3, 4, 5), found (3, 3, 3, 4, 4)",
        ),
        (with_more, "expected more of shape none, found (3,)"),
        (with_nan, "found NaN or Inf in third/kernel"),
        (with_infinity, "found NaN or Inf in output/bias"),
        (in_float64, "found output/bias in float64"),
    ],
)
def test_weights_of_no_use_are_refused_though_the_card_vouches_for_them(
    change: Callable[[dict[str, Any]], None], expected: str, tmp_path: Path
) -> None:
    weights = dict(make_weights())
    change(weights)
    assert expected in refuse(save_model(tmp_path / "model", weights))


def test_weights_that_are_no_safetensors_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safetensors.numpy, "save", lambda arrays: b"\x80\x04pickle" * 20)
    assert "expected safetensors" in refuse(save_model(tmp_path / "model", make_weights()))


def test_an_unknown_folder_is_refused(tmp_path: Path) -> None:
    assert "model.json" in refuse(tmp_path)


def test_describing_a_model_reads_no_weights(folder: Path) -> None:
    (folder / "weights.safetensors").unlink()
    card = oasis_gan_meshnet.card(folder)
    assert (
        json.loads((folder / "model.json").read_text())["weights"]["sha256"] == card.weights_sha256
    )
