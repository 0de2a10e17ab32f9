"""An exported model translates like the model, describes itself, and is written whole or not."""

from __future__ import annotations

import itertools
import json
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.tool import oasis_gan
from numpy.typing import NDArray
from oasis_gan_keras import hardware
from oasis_gan_keras.backend import tf
from oasis_gan_pix2pix import export, model_folder, networks
from oasis_gan_pix2pix.recipe import GeneratorSettings
from oasis_gan_pix2pix.translator import StoredGenerator

from oasis_gan import OASIS, Canvas, LabelSet, OasisGanError, Plane, Window
from oasis_gan.cli.export import ExportOptions
from oasis_gan.cli.export import export as export_command
from oasis_gan.io.files import write_whole

pytestmark = pytest.mark.precision

Slices = NDArray[np.float32]
WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "onnx": export.to_onnx,
    "savedmodel": export.to_saved_model,
}
FORMATS = list(WRITERS)
ARCHITECTURES: list[dict[str, Any]] = [
    *(
        {"norm": norm, "upsample": up}
        for norm, up in itertools.product(("instance", "batch", "none"), ("resize", "transposed"))
    ),
    {"levels": 1},
    {"full_skip": False},
    {"architecture": "encoder-decoder"},
    {"norm": "batch", "inference_in_training_mode": True},
]
STRANGE = """
from dataclasses import replace
from pathlib import Path
from oasis_gan import OASIS, ModelCard, ModelKind, Window, hookimpl

CARD = ModelCard(
    name="strange",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 1), (0, 1)),
    output="T1w",
)

def break_off(folder, out):
    out.mkdir()
    (out / "half").write_text("of it")
    raise RuntimeError("no more")

def write(folder, out):
    out.write_text("all of it")

@hookimpl
def oasis_gan_models():
    exports = {"void": lambda folder, out: None, "half": break_off, "whole": write}
    kind = ModelKind(
        name="strange",
        summary="No model",
        card=lambda _: CARD,
        load=lambda _: None,
        shipped={"strange": Path()},
        exports=exports,
    )
    yield kind
    yield replace(kind, name="plain", shipped={"plain": Path()}, exports={})
"""


def require_packages(file_format: str) -> None:
    """Skip a test of ONNX where the extra is missing."""
    if file_format == "onnx":
        for name in ("onnx", "onnxruntime", "tf2onnx"):
            pytest.importorskip(
                name, reason=f"{name} is not installed: pip install 'oasis-gan[onnx]'"
            )


def write_model(
    folder: Path,
    source: LabelSet | Window = OASIS,
    training: dict[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401
) -> Path:
    """Write the folder of a small generator with random weights, which uses all of [0, 1]."""
    generator = GeneratorSettings(**{"levels": 3, "filters": 4, **settings})
    rng = np.random.default_rng(0)
    weights = {}
    for variable in networks.build_generator(generator, source.channels, 1).variables:
        if "seed" not in variable.path:
            noise = rng.normal(0, 0.2, variable.shape)
            if "variance" in variable.path:
                noise = np.abs(noise) + 0.5
            weights[variable.path] = noise
    model_folder.write_model(
        folder,
        weights,
        smooth={},
        name="small",
        version="1",
        output="T1w",
        source=source,
        target=Window((0, 1000), (0, 1)),
        planes=(Plane.AXIAL,),
        canvas=Canvas(1.0, 24, 2**generator.levels),
        generator=generator,
        training=training or {},
        software={},
    )
    return folder


def make_runner(file_format: str, path: Path) -> Callable[[Slices], Slices]:
    """Return a function that runs an exported model as its users would."""
    if file_format == "onnx":
        session = pytest.importorskip("onnxruntime").InferenceSession(
            path, providers=["CPUExecutionProvider"]
        )
        return lambda slices: np.asarray(session.run(["target"], {"source": slices})[0])
    # The module has to live as long as its signatures.
    module = tf.saved_model.load(str(path))
    return lambda slices: np.asarray(
        module.signatures["serving_default"](source=tf.constant(slices))["target"]
    )


def assert_same(folder: Path, exported: Callable[[Slices], Slices], channels: int) -> None:
    """Check that an exported model translates slices of new sizes like the one in ``folder``."""
    generate = StoredGenerator(folder, precision="float32").generate
    for shape in ((1, 8, 8), (3, 24, 40), (5, 48, 16)):
        slices = np.random.default_rng(1).random((*shape, channels), np.float32)
        answer = exported(slices)
        assert answer.dtype == np.float32
        assert answer.shape == (*shape, 1)
        np.testing.assert_allclose(answer, generate(slices), atol=1e-4)
        # Otherwise the comparison would prove nothing.
        assert answer.std() > 1e-3


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_refused(process: subprocess.CompletedProcess[str], *parts: str, status: int = 2) -> None:
    """Check that a failure is one line, and not a traceback."""
    assert process.returncode == status, process.stderr
    (line,) = process.stderr.splitlines()
    for part in parts:
        assert part in line
    assert process.stdout == ""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "small")


# Equal outputs


@pytest.mark.parametrize(
    "settings", ARCHITECTURES, ids=lambda settings: "-".join(map(str, settings.values()))
)
@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_translates_like_the_model(
    tmp_path: Path, file_format: str, settings: dict[str, Any]
) -> None:
    require_packages(file_format)
    folder = write_model(tmp_path / "model", **settings)
    WRITERS[file_format](folder, tmp_path / "out")
    assert_same(folder, make_runner(file_format, tmp_path / "out"), channels=3)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_model_from_one_channel_to_one_channel_can_be_exported(
    tmp_path: Path, file_format: str
) -> None:
    require_packages(file_format)
    folder = write_model(tmp_path / "model", Window((0, 1000), (0, 1)), filters=1)
    WRITERS[file_format](folder, tmp_path / "out")
    assert_same(folder, make_runner(file_format, tmp_path / "out"), channels=1)


def test_the_shipped_model_can_be_exported(tmp_path: Path) -> None:
    require_packages("onnx")
    process = oasis_gan(
        "export", "tissue-to-t1w", "--format", "onnx", "--out", "out.onnx", cwd=tmp_path
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "out.onnx\n", "")
    assert list_names(tmp_path) == ["out.onnx"]


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_computes_in_float32_whatever_the_machine_and_the_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    require_packages(file_format)
    monkeypatch.setattr(hardware, "DEFAULT_PRECISION", "bfloat16")
    monkeypatch.setattr(hardware, "find_fast_precision", lambda: "bfloat16")
    folder = write_model(
        tmp_path / "model", training={"precision": "bfloat16", "recipe": {"precision": "bfloat16"}}
    )
    WRITERS[file_format](folder, tmp_path / "out")
    if file_format == "onnx":
        made = pytest.importorskip("onnx").load(tmp_path / "out")
        float32 = pytest.importorskip("onnx").TensorProto.FLOAT
        kernels = [tensor for tensor in made.graph.initializer if len(tensor.dims) == 4]
        assert {tensor.data_type for tensor in kernels} == {float32}
    else:
        assert {
            variable.dtype for variable in tf.saved_model.load(str(tmp_path / "out")).weights
        } == {tf.float32}
    exact = StoredGenerator(folder, precision="float32")
    slices = np.random.default_rng(1).random((2, 16, 24, OASIS.channels), np.float32)
    np.testing.assert_allclose(
        make_runner(file_format, tmp_path / "out")(slices), exact.generate(slices), atol=1e-4
    )


def test_a_model_folder_can_be_exported(tmp_path: Path, small: Path) -> None:
    process = oasis_gan("export", small, "--format", "savedmodel", "--out", "out", cwd=tmp_path)
    assert (process.returncode, process.stdout, process.stderr) == (0, "out\n", "")
    assert list_names(tmp_path) == ["out"]


# Descriptions


def test_an_onnx_file_needs_nothing_but_onnx_and_names_its_axes(
    tmp_path: Path, small: Path
) -> None:
    require_packages("onnx")
    export.to_onnx(small, tmp_path / "out.onnx")
    made = pytest.importorskip("onnx").load(tmp_path / "out.onnx")
    assert {opset.domain for opset in made.opset_import} == {""}
    assert {node.domain for node in made.graph.node} == {""}
    for value, name, channels in (
        (made.graph.input, "source", 3),
        (made.graph.output, "target", 1),
    ):
        (only,) = value
        dimensions = only.type.tensor_type.shape.dim
        assert only.name == name
        assert [d.dim_param or d.dim_value for d in dimensions] == [
            "n",
            "rows",
            "columns",
            channels,
        ]
    assert "multiples of 8" in made.doc_string


def test_an_onnx_file_carries_the_models_card(tmp_path: Path, small: Path) -> None:
    require_packages("onnx")
    export.to_onnx(small, tmp_path / "out.onnx")
    metadata = runner_metadata(tmp_path / "out.onnx")
    assert json.loads(metadata["model.json"]) == json.loads((small / "model.json").read_text())


def runner_metadata(path: Path) -> dict[str, str]:
    session = pytest.importorskip("onnxruntime").InferenceSession(
        path, providers=["CPUExecutionProvider"]
    )
    return dict(session.get_modelmeta().custom_metadata_map)


def test_a_saved_model_carries_the_models_card(tmp_path: Path, small: Path) -> None:
    export.to_saved_model(small, tmp_path / "out")
    assert (tmp_path / "out/assets/model.json").read_bytes() == (small / "model.json").read_bytes()


# What cannot be exported


@pytest.mark.parametrize("wrong", [lambda x: x + 2e-4, lambda x: x * np.nan, lambda x: x[:, :-1]])
@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_that_translates_differently_is_deleted(
    tmp_path: Path,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
    wrong: Callable[[Any], Any],
) -> None:
    require_packages(file_format)
    make_right_graph = export.make_graph

    def make_wrong_graph(generator: StoredGenerator) -> Any:  # noqa: ANN401
        graph = make_right_graph(generator)
        return tf.function(
            lambda source: {"target": wrong(graph(source)["target"])}, graph.input_signature
        )

    monkeypatch.setattr(export, "make_graph", make_wrong_graph)
    with pytest.raises(OasisGanError, match=r"within 0\.0001 of the generator"):
        export_command(ExportOptions(str(small), file_format, tmp_path / "out", ()))
    assert list_names(tmp_path) == []


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_generator_with_noise_makes_the_same_noise_elsewhere(
    tmp_path: Path, file_format: str
) -> None:
    require_packages(file_format)
    folder = write_model(tmp_path / "model", noise=True)
    out = tmp_path / "out"
    WRITERS[file_format](folder, out)
    assert_same(folder, make_runner(file_format, out), OASIS.channels)


def test_a_generator_that_onnx_does_not_support_can_be_a_saved_model(tmp_path: Path) -> None:
    require_packages("onnx")
    folder = write_model(tmp_path / "model", dropout=0.5, inference_in_training_mode=True)
    with pytest.raises(OasisGanError, match=r"ONNX supports.*Random.*savedmodel"):
        export.to_onnx(folder, tmp_path / "out.onnx")
    export.to_saved_model(folder, tmp_path / "out")
    slices = np.random.default_rng(1).random((2, 16, 8, OASIS.channels), np.float32)
    expected = StoredGenerator(folder, precision="float32").generate(slices)
    translate = make_runner("savedmodel", tmp_path / "out")
    np.testing.assert_allclose(translate(slices), expected, atol=1e-4)


@pytest.mark.parametrize(
    "failing", ["tf2onnx.convert.from_function", "onnxruntime.InferenceSession"]
)
def test_a_package_that_fails_is_named_and_the_model_is_not_blamed(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    require_packages("onnx")

    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("unsupported type\nand so on")

    monkeypatch.setattr(failing, fail)
    with pytest.raises(OasisGanError) as caught:
        export_command(ExportOptions(str(small), "onnx", tmp_path / "out", ()))
    message = str(caught.value)
    assert re.match(
        r"ONNX: expected an export by onnx [\d.]+, onnxruntime [\d.]+, tf2onnx [\d.]+, found",
        message,
    )
    assert "found RuntimeError: unsupported type; export it as savedmodel" in message
    assert list_names(tmp_path) == []


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime", "tf2onnx"])
def test_a_missing_extra_is_reported_with_the_command_that_installs_it(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    require_packages("onnx")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(OasisGanError, match=rf"no {missing}; pip install 'oasis-gan\[onnx\]'"):
        export_command(ExportOptions(str(small), "onnx", tmp_path / "out", ()))
    assert list_names(tmp_path) == []


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_damaged_model_is_not_exported(tmp_path: Path, small: Path, file_format: str) -> None:
    require_packages(file_format)
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "model.json").write_bytes((small / "model.json").read_bytes())
    (folder / "weights.safetensors").write_bytes(
        b"\0" * (small / "weights.safetensors").stat().st_size
    )
    with pytest.raises(OasisGanError, match="SHA-256"):
        export_command(ExportOptions(str(folder), file_format, tmp_path / "out", ()))
    assert list_names(tmp_path) == ["damaged"]


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_full_disk_is_reported_in_one_line_and_leaves_nothing(
    tmp_path: Path, small: Path, file_format: str
) -> None:
    """A limit on file sizes stands in for a full disk; the same system call fails."""
    require_packages(file_format)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

    process = oasis_gan(
        "export", small, "--format", file_format, "--out", "out", cwd=tmp_path, preexec_fn=limit
    )
    # TensorFlow raises an error of its own instead of an OSError.
    assert_refused(process, "File too large", status=1 if file_format == "onnx" else 2)
    assert list_names(tmp_path) == []


# Refusals of the command, for any kind of model


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (
            ["plain", "--format", "whole", "--out", "out"],
            ["--format", "plain (it has none)", "found whole"],
        ),
        (
            ["strange", "--format", "jpeg", "--out", "out"],
            ["--format", "strange (void, half, whole)", "found jpeg"],
        ),
        (["nobody", "--format", "whole", "--out", "out"], ["MODEL", "strange", "found nobody"]),
        (
            ["strange", "--format", "void", "--out", "out"],
            ["strange", "void to be written", "found nothing"],
        ),
        (["strange", "--format", "half", "--out", "out"], ["strange", "RuntimeError: no more"]),
        (["strange", "--format", "whole", "--out", "strange.py"], ["strange.py", "a new path"]),
        (["strange", "--format", "whole", "--out", "."], ["a new path"]),
        (
            ["strange", "--format", "whole", "--out", "no/out"],
            ["no/out: No such file", "check the path"],
        ),
    ],
)
def test_an_impossible_export_is_reported_in_one_line_and_leaves_nothing(
    tmp_path: Path, words: list[str], parts: list[str]
) -> None:
    (tmp_path / "strange.py").write_text(STRANGE)
    assert_refused(oasis_gan("export", *words, "--plugin", "strange.py", cwd=tmp_path), *parts)
    assert [name for name in list_names(tmp_path) if name != "__pycache__"] == ["strange.py"]
    assert (tmp_path / "strange.py").read_text() == STRANGE


def test_any_kind_can_have_formats_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "strange.py").write_text(STRANGE)
    process = oasis_gan(
        "export",
        "strange",
        "--format",
        "whole",
        "--out",
        "out",
        "--plugin",
        "strange.py",
        cwd=tmp_path,
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "out\n", "")
    assert (tmp_path / "out").read_text() == "all of it"


# Complete files only


def test_a_path_appears_when_all_is_written(tmp_path: Path) -> None:
    with write_whole(tmp_path / "out", overwrite=False) as unfinished:
        (unfinished / "deep").mkdir(parents=True)
        (unfinished / "deep/file").write_text("all of it")
        assert not (tmp_path / "out").exists()
    assert list_names(tmp_path) == ["out"]
    assert (tmp_path / "out/deep/file").read_text() == "all of it"


def test_a_file_is_replaced_only_by_a_complete_one(tmp_path: Path) -> None:
    path = tmp_path / "out.nii"
    path.write_text("old")
    with pytest.raises(RuntimeError), write_whole(path) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    with write_whole(path) as unfinished:
        assert unfinished.name == "out.nii"
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list_names(tmp_path) == ["out.nii"]


def test_a_path_that_nothing_was_written_to_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"out\.nii"), write_whole(tmp_path / "out.nii"):
        pass
    assert list_names(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, OSError])
def test_an_interrupted_write_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), write_whole(tmp_path / "out", overwrite=False) as unfinished:
        unfinished.write_text("half")
        raise error
    assert list_names(tmp_path) == []


def test_a_path_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with (
        pytest.raises(OasisGanError, match="a new path"),
        write_whole(tmp_path / "out", overwrite=False) as unfinished,
    ):
        unfinished.write_text("ours")
        (tmp_path / "out").write_text("theirs")
    assert (tmp_path / "out").read_text() == "theirs"
    assert list_names(tmp_path) == ["out"]


def test_a_link_that_leads_nowhere_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("nowhere")
    with (
        pytest.raises(OasisGanError, match="a new path"),
        write_whole(tmp_path / "out", overwrite=False),
    ):
        pytest.fail("it was taken for free")
    assert (tmp_path / "out").is_symlink()
