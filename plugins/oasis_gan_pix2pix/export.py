"""Export a trained generator to other software: as an ONNX file, or as a SavedModel of TensorFlow.

Both take ``source``, float32 (n, rows, columns, source channels) in [0, 1], and return ``target``,
(n, rows, columns, target channels) in [0, 1], as `StoredGenerator.generate` does. n, rows and
columns are free, but rows and columns are multiples of ``2 ** levels``. A model that sees
neighbouring slices takes their channels before and after those of the slice itself, in the order of
the slices.

Both compute in float32, whatever precision this machine is fastest in and whatever the model was
trained in. Both carry the ``model.json`` of the model folder, which describes the channels, the
canvas and the encodings. What was written is read back and compared with the generator before the
export counts as done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.backend import compile_graph, tf

from oasis_gan import write_atomically

from . import model_folder
from .errors import (
    DifferentExportError,
    NoOnnxError,
    NotInOnnxError,
    NotOneNetworkError,
    OnnxFailedError,
    SavedModelNotWrittenError,
)
from .translator import StoredGenerator

Slices = NDArray[np.float32]
_OPSET = 17  # any onnxruntime since 2022, and onnxruntime-web, supports these operations
_TOLERANCE = 1e-4  # between an export and the generator; the noise of a scanner is far larger


def to_onnx(folder: Path, out: Path) -> None:
    """Write the model in ``folder`` as an ONNX file ``out``, with operations of ONNX itself only.

    Raises:
        OasisGanError: If the folder cannot be trusted, the extra ``onnx`` is not installed, ONNX
            has no such operations, or the file computes something else than the generator.
        OSError: If the file cannot be written.
    """
    onnx, onnxruntime, tf2onnx = _import_packages()
    generator = _load_network(folder)
    try:
        model = _convert(generator, folder, onnx, tf2onnx)
    except (onnx.checker.ValidationError, NotImplementedError, ValueError) as error:
        raise NotInOnnxError(folder, error) from error
    # The other errors of these packages depend on their versions, and have no common base class.
    except Exception as error:
        raise OnnxFailedError(error) from error
    write_atomically(out, model.SerializeToString())
    outputs = _run_onnx(out, generator, onnxruntime)
    _check(folder, generator, outputs)


def to_saved_model(folder: Path, out: Path) -> None:
    """Write the model in ``folder`` as a SavedModel folder ``out``.

    The SavedModel has the ``model.json`` in its ``assets``.

    Raises:
        OasisGanError: If the folder cannot be trusted, the disk is full, or the SavedModel computes
            something else than the generator.
    """
    generator = _load_network(folder)
    module = tf.Module()
    module.translate = make_graph(generator)
    # Only attributes of the module are saved.
    module.weights = list(generator.inference.weights.values())
    card_path = folder / model_folder.MODEL_JSON
    module.card = tf.saved_model.Asset(str(card_path))
    try:
        tf.saved_model.save(module, str(out))
    except tf.errors.OpError as error:
        raise SavedModelNotWrittenError(out, error.message) from error
    saved = tf.saved_model.load(str(out))
    translate = saved.signatures["serving_default"]
    outputs = []
    for slices in _make_samples(generator):
        answer = translate(source=tf.constant(slices))
        outputs.append(answer["target"].numpy())
    _check(folder, generator, outputs)


def _load_network(folder: Path) -> StoredGenerator:
    """Return the generator to export; raise `NotOneNetworkError` if the model has several."""
    generator = StoredGenerator(folder, precision="float32")
    further = generator.file.further_weights
    if further:
        found = f"those of {1 + further}"
        raise NotOneNetworkError(folder, found, "export the models that it was combined from")
    return generator


def _import_packages() -> tuple[ModuleType, ModuleType, ModuleType]:
    """Return onnx, onnxruntime and tf2onnx, which belong to an extra."""
    try:
        import onnx
        import onnxruntime
        import tf2onnx
    except ImportError as error:
        raise NoOnnxError(error.name) from None
    # It logs errors that it also raises.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    return onnx, onnxruntime, tf2onnx


def _convert(
    generator: StoredGenerator,
    folder: Path,
    onnx: ModuleType,
    tf2onnx: ModuleType,
) -> Any:  # noqa: ANN401 - what protobuf makes is untyped
    """Return a generator as a checked ONNX model."""
    graph = make_graph(generator)
    # tf2onnx 1.17 moves a single channel to the end with Reshape and Squeeze, and may lose a
    # Squeeze before an output.
    model, _ = tf2onnx.convert.from_function(
        graph,
        graph.input_signature,
        opset=_OPSET,
        inputs_as_nchw=["source"],
        outputs_as_nchw=["target"],
    )
    _put_channels_last(model.graph, onnx)
    _describe(model, generator, folder, onnx)
    onnx.checker.check_model(model, full_check=True)
    return model


def _run_onnx(
    path: Path,
    generator: StoredGenerator,
    onnxruntime: ModuleType,
) -> list[Slices]:
    """Return what an ONNX file makes of the sample slices."""
    outputs: list[Slices] = []
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for slices in _make_samples(generator):
            outputs += session.run(["target"], {"source": slices})
    except Exception as error:
        raise OnnxFailedError(error) from error
    return outputs


def make_graph(generator: StoredGenerator) -> Any:  # noqa: ANN401 - TensorFlow is untyped here
    """Return a generator as a function of TensorFlow with a named input and output."""
    shape = (None, None, None, generator.file.source_channels)
    signature = tf.TensorSpec(shape, tf.float32, name="source")

    def translate(source: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"target": generator.inference.generate_everywhere(source)}

    return compile_graph(translate, input_signature=[signature])


def _put_channels_last(graph: Any, onnx: ModuleType) -> None:  # noqa: ANN401 - what protobuf makes is untyped
    """Move the channels of an ONNX graph's input and output to the end, and name the axes."""
    for node in graph.node:
        _rename_ends(node.input)
        _rename_ends(node.output)
    first = onnx.helper.make_node(
        "Transpose",
        inputs=["source"],
        outputs=["source_inside"],
        perm=(0, 3, 1, 2),
    )
    last = onnx.helper.make_node(
        "Transpose",
        inputs=["target_inside"],
        outputs=["target"],
        perm=(0, 2, 3, 1),
    )
    graph.node.insert(0, first)
    graph.node.append(last)
    for value in (*graph.input, *graph.output):
        channels = value.type.tensor_type.shape.dim[1].dim_value
        description = onnx.helper.make_tensor_value_info(
            value.name,
            elem_type=onnx.TensorProto.FLOAT,
            shape=("n", "rows", "columns", channels),
        )
        value.CopyFrom(description)


def _rename_ends(names: Any) -> None:  # noqa: ANN401 - a list of protobuf
    """Rename the source and the target of an ONNX graph, whose names the new nodes take."""
    for index, name in enumerate(names):
        if name in ("source", "target"):
            names[index] = f"{name}_inside"


def _describe(
    model: Any,  # noqa: ANN401
    generator: StoredGenerator,
    folder: Path,
    onnx: ModuleType,
) -> None:
    """Add a description to an ONNX model, and remove operation sets other than ONNX itself."""
    others = [opset for opset in model.opset_import if opset.domain]
    for opset in others:
        model.opset_import.remove(opset)
    model.doc_string = (
        "source and target are (n, rows, columns, channels) in [0, 1]; "
        f"rows and columns are multiples of {generator.file.generator.multiple}."
    )
    text = (folder / model_folder.MODEL_JSON).read_text("utf-8")
    onnx.helper.set_model_props(model, {model_folder.MODEL_JSON: text})


def _check(
    folder: Path,
    generator: StoredGenerator,
    outputs: Sequence[Slices],
) -> None:
    """Raise `DifferentExportError` unless an export agrees with the generator."""
    samples = _make_samples(generator)
    for slices, output in zip(samples, outputs, strict=True):
        difference = _find_difference(output, generator.generate(slices))
        # Written so that NaN is caught too.
        if not difference <= _TOLERANCE:
            raise DifferentExportError(
                folder,
                tolerance=_TOLERANCE,
                difference=difference,
                shape=slices.shape,
            )


def _find_difference(output: Slices, expected: Slices) -> float:
    """Return the largest difference between two outputs, infinity if their shapes differ."""
    if output.shape != expected.shape:
        return float("inf")
    differences = np.abs(output - expected)
    return float(differences.max())


def _make_samples(generator: StoredGenerator) -> Iterator[Slices]:
    """Yield noise and rings in two sizes: a few pixels, not square, and the canvas of the model."""
    channels = generator.file.source_channels
    multiple = generator.file.generator.multiple
    side = generator.file.canvas.round_up(1)
    small = (2, multiple, 2 * multiple)
    large = (1, side, side)
    rng = np.random.default_rng(0)
    for shape in (small, large):
        yield rng.random((*shape, channels), np.float32)
        yield _make_rings(shape, channels)


def _make_rings(shape: tuple[int, int, int], channels: int) -> Slices:
    """Return slices of rings as of a label map: each pixel is 1 in one channel at most."""
    _, rows, columns = np.indices(shape)
    _, height, width = shape
    radius = np.hypot(rows / height - 0.5, columns / width - 0.5)
    ring = radius * 3 * channels // 1
    is_in_ring = ring[..., np.newaxis] == np.arange(channels)
    return np.asarray(is_in_ring, np.float32)
