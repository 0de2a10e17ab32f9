"""Import TensorFlow and Keras once, without their log messages, for all other modules."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _hold_stderr() -> Iterator[None]:
    """Hide what native code writes to standard error unless an exception is raised."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextmanager
def _pause_garbage_collection() -> Iterator[None]:
    """Exclude imported objects from garbage collection, now and at exit, which saves a second.

    The imports create hundreds of thousands of objects. None of them is garbage, yet the collector
    would scan all of them many times.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


# TensorFlow and Keras read these variables on import. A user's own Keras settings must not change a
# model.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

with _hold_stderr(), _pause_garbage_collection():
    import keras
    import tensorflow as tf

keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")


def start_devices() -> None:
    """Let TensorFlow find its devices, without log messages.

    In a training on several machines, `Replicas.from_environment` has to be called first.
    """
    with _hold_stderr():
        tf.constant(0.0)


def compile_graph(function: Callable[..., Any], **options: Any) -> Any:  # noqa: ANN401 - TensorFlow is untyped here
    """Return a function of tensors as a `tf.function`.

    AutoGraph is turned off, because no function here branches on a tensor. It would read the source
    when a graph is first traced, perhaps an hour into a training, when the file may no longer match
    the code that is running.

    Shapes are never relaxed after earlier calls. A graph for one shape and a graph for any shape
    round differently, and a resumed training would see other shapes first. Use `make_signature`
    instead.
    """
    return tf.function(function, autograph=False, **options)


def make_signature(values: Any) -> Any:  # noqa: ANN401
    """Return the input signature of a graph that accepts slices of any number of rows and columns.

    Args:
        values: Slices (n, rows, columns, channels), on one device or on several.
    """
    return tf.nest.map_structure(_relax_size, values)


def _relax_size(value: Any) -> Any:  # noqa: ANN401
    spec = tf.type_spec_from_value(value)
    parts = []
    for part in tf.nest.flatten(spec, expand_composites=True):
        n, _, _, channels = part.shape
        relaxed = (n, None, None, channels)
        parts.append(tf.TensorSpec(relaxed, part.dtype))
    if isinstance(spec, tf.TensorSpec):
        return parts[0]
    # A value that is distributed over several devices has one part on each.
    return type(spec)(*parts)


def make_deterministic(seed: int) -> None:
    """Make all later results of TensorFlow depend on ``seed`` alone, bit for bit."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


__all__ = ["compile_graph", "keras", "make_deterministic", "make_signature", "start_devices", "tf"]
