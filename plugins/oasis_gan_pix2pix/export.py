"""A trained generator for other software: an ONNX file, or a SavedModel of TensorFlow.

Both take ``source``, float32 (n, rows, columns, source channels) in [0, 1], and give ``target``, (n, rows, columns,
target channels) in [0, 1], as `StoredGenerator.generate` does. n, rows and columns are free; rows and columns are
multiples of ``2 ** levels``. A model that sees neighbouring slices takes their channels before and behind those of
the slice itself, in the order of the slices.

Both compute in float32, whatever this machine is fast in, and whatever the model was trained in. Both carry the
``model.json`` of the model folder, which tells the channels, the canvas and the windows. What was written is read back
and compared with the generator before it counts as done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import compiled, tf

from oasis_gan import OasisGanError, write_atomically

from . import model_folder
from .translator import StoredGenerator

Slices = NDArray[np.float32]
_PACKAGES = ("onnx", "onnxruntime", "tf2onnx")
_OPSET = 17  # of ONNX; any onnxruntime since 2022, and onnxruntime-web, has its operations
_SAME = 1e-4  # how far an exported model may be from the generator; a scanner's noise is far above


def to_onnx(folder: Path, out: Path) -> None:
    """Write the model in ``folder`` as an ONNX file ``out``, with operations of ONNX itself only.

    Raises:
        OasisGanError: If the folder cannot be trusted, the extra ``onnx`` is not installed, ONNX has no such
            operations, or the file gives something else than the generator.
        OSError: As the file system says.
    """
    onnx, onnxruntime, converter = _packages()
    generator = StoredGenerator(folder, precision="float32")
    try:
        graph = _graph(generator)
        # tf2onnx 1.17 puts one channel last with Reshape and Squeeze, and may lose a Squeeze that makes an output.
        inner = {"inputs_as_nchw": ["source"], "outputs_as_nchw": ["target"]}
        model, _ = converter.convert.from_function(
            graph, graph.input_signature, opset=_OPSET, **inner
        )
        _put_channels_last(model.graph, onnx)
        _describe(model, folder, onnx)
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, NotImplementedError, ValueError) as error:
        found, remedy = str(error).partition("\n")[0], "export it as savedmodel"
        raise OasisGanError(
            folder, expected="a generator that ONNX can hold", found=found, remedy=remedy
        ) from error
    # What else these packages raise depends on their versions, and has no base class in common.
    except Exception as error:
        raise _packages_failed(error) from error
    write_atomically(out, model.SerializeToString())
    try:
        session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
        answers = [
            session.run(["target"], {"source": slices})[0]
            for slices in _samples(generator, _multiple(folder))
        ]
    except Exception as error:
        raise _packages_failed(error) from error
    _check(folder, generator, answers)


def to_saved_model(folder: Path, out: Path) -> None:
    """Write the model in ``folder`` as a SavedModel folder ``out``, its ``model.json`` in ``assets``.

    Raises:
        OasisGanError: If the folder cannot be trusted, the disk is full, or the SavedModel gives something else than
            the generator.
    """
    generator = StoredGenerator(folder, precision="float32")
    module = tf.Module()
    module.translate = _graph(generator)
    # What is not an attribute is not saved.
    module.weights = list(generator.inference.weights.values())
    module.card = tf.saved_model.Asset(str(folder / model_folder.MODEL_JSON))
    try:
        tf.saved_model.save(module, str(out))
    except tf.errors.OpError as error:
        # Before the last semicolon it names files that nobody knows.
        found, remedy = (
            error.message.rpartition("; ")[2],
            "free some space, and check the permissions",
        )
        raise OasisGanError(
            out.name, expected="room for a SavedModel", found=found, remedy=remedy
        ) from error
    serving = tf.saved_model.load(str(out)).signatures["serving_default"]
    samples = _samples(generator, _multiple(folder))
    _check(
        folder,
        generator,
        [serving(source=tf.constant(slices))["target"].numpy() for slices in samples],
    )


def _packages() -> tuple[ModuleType, ModuleType, ModuleType]:
    """Return onnx, onnxruntime and tf2onnx, which are an extra."""
    try:
        import onnx
        import onnxruntime
        import tf2onnx
    except ImportError as error:
        expected, remedy = "the packages of the extra onnx", "pip install 'oasis-gan[onnx]'"
        raise OasisGanError(
            "ONNX", expected=expected, found=f"no {error.name}", remedy=remedy
        ) from None
    # What it logs is raised here as well.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    return onnx, onnxruntime, tf2onnx


def _packages_failed(error: Exception) -> OasisGanError:
    """Return what to say if the packages of the extra onnx fail: neither the model nor the user is to blame."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    found = f"{type(error).__name__}: {error}".partition("\n")[0]
    remedy = "export it as savedmodel, or try other versions of these packages"
    return OasisGanError("ONNX", expected=f"an export by {versions}", found=found, remedy=remedy)


def _graph(generator: StoredGenerator) -> Any:  # noqa: ANN401 - TensorFlow is untyped here
    """Return what the generator does as a function of TensorFlow, its input and output named."""
    source = tf.TensorSpec(
        (None, None, None, generator.file.source_channels), tf.float32, name="source"
    )

    return compiled(
        lambda source: {"target": generator.inference.whole(source)}, input_signature=[source]
    )


def _put_channels_last(graph: Any, onnx: ModuleType) -> None:  # noqa: ANN401 - what protobuf makes is untyped
    """Put the channels of input and output of an ONNX graph behind the columns, and name the other axes."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [
                f"{name}_inside" if name in ("source", "target") else name for name in names
            ]
    make = onnx.helper.make_node
    graph.node.insert(0, make("Transpose", ["source"], ["source_inside"], perm=(0, 3, 1, 2)))
    graph.node.append(make("Transpose", ["target_inside"], ["target"], perm=(0, 2, 3, 1)))
    for value in (*graph.input, *graph.output):
        axes = ("n", "rows", "columns", value.type.tensor_type.shape.dim[1].dim_value)
        value.CopyFrom(onnx.helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, axes))


def _describe(model: Any, folder: Path, onnx: ModuleType) -> None:  # noqa: ANN401
    """Tell in an ONNX model what its user has to know, and that it needs ONNX itself only."""
    for opset in [opset for opset in model.opset_import if opset.domain]:
        model.opset_import.remove(opset)
    model.doc_string = (
        "source and target are (n, rows, columns, channels) in [0, 1]; "
        f"rows and columns are multiples of {_multiple(folder)}."
    )
    onnx.helper.set_model_props(
        model, {model_folder.MODEL_JSON: (folder / model_folder.MODEL_JSON).read_text("utf-8")}
    )


def _check(folder: Path, generator: StoredGenerator, answers: Sequence[Slices]) -> None:
    """Raise `OasisGanError` unless the answers of an exported model to the samples are those of the generator."""
    for slices, answer in zip(_samples(generator, _multiple(folder)), answers, strict=True):
        expected_answer = generator.generate(slices)
        apart = (
            np.abs(answer - expected_answer).max()
            if answer.shape == expected_answer.shape
            else np.inf
        )
        # Said so that NaN is caught.
        if not apart <= _SAME:
            expected, remedy = (
                f"an export within {_SAME} of the generator",
                "nothing was written; report this",
            )
            raise OasisGanError(
                folder, expected=expected, found=f"{apart:.2g} at {slices.shape}", remedy=remedy
            )


def _samples(generator: StoredGenerator, multiple: int) -> Iterator[Slices]:
    """Yield noise and rings, each in two sizes: a few pixels, not square, and the model's canvas."""
    channels, side = generator.file.source_channels, generator.file.canvas.pixels(1)
    rng = np.random.default_rng(0)
    for shape in ((2, multiple, 2 * multiple), (1, side, side)):
        yield rng.random((*shape, channels), np.float32)
        _, rows, columns = np.indices(shape)
        ring = np.hypot(rows / shape[1] - 0.5, columns / shape[2] - 0.5) * 3 * channels // 1
        yield (ring[..., np.newaxis] == np.arange(channels)).astype(np.float32)


def _multiple(folder: Path) -> int:
    """Return what rows and columns are multiples of."""
    return int(2 ** model_folder.read_model_file(folder).generator.levels)
