"""TensorFlow and Keras, imported once and in silence; everything here that needs them takes them from this file."""

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
    """Hold back what native code writes to standard error; show it only if the import fails."""
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
    """Keep the garbage collector from what is imported, now and when the process ends: it saves a second.

    Hundreds of thousands of objects are made, none is garbage, and the collector would look at all of them many times.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


# TensorFlow reads these when it is imported, Keras too: a user's own Keras settings must not change a model.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

with _hold_stderr(), _pause_garbage_collection():
    import keras
    import tensorflow as tf

keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")


def start_devices() -> None:
    """Let TensorFlow find its devices, in silence; whoever shares work with other machines has to do so before."""
    with _hold_stderr():
        tf.constant(0.0)


def compiled(function: Callable[..., Any], **options: Any) -> Any:  # noqa: ANN401 - TensorFlow is untyped here
    """Return a function of tensors as a graph.

    Nothing here branches on a tensor, so AutoGraph is left out: it would read the source when a graph is first needed,
    an hour into a training perhaps, when it may not be the source that runs.

    Shapes are never relaxed by what came before: graphs for one shape and for any shape round differently, and a
    training that is resumed would see other shapes first. See `for_any_size`.
    """
    return tf.function(function, autograph=False, **options)


def for_any_size(values: Any) -> Any:  # noqa: ANN401
    """Return the signature of a graph for slices (n, rows, columns, channels) of any number of rows and columns.

    Args:
        values: Slices, on one device or on several.
    """
    return tf.nest.map_structure(_relaxed_spec, values)


def _relaxed_spec(value: Any) -> Any:  # noqa: ANN401
    spec = tf.type_spec_from_value(value)
    parts = []
    for part in tf.nest.flatten(spec, expand_composites=True):
        n, _, _, channels = part.shape
        parts.append(tf.TensorSpec((n, None, None, channels), part.dtype))
    # What several devices share has a part on each.
    return parts[0] if isinstance(spec, tf.TensorSpec) else type(spec)(*parts)


def make_deterministic(seed: int) -> None:
    """Make what TensorFlow computes in this process from here on follow from ``seed`` alone, to the bit."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


__all__ = ["compiled", "for_any_size", "keras", "make_deterministic", "start_devices", "tf"]
