"""What a loss of a plugin has to keep: ``oasis-gan plugins --check`` tries it on slices of noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oasis_gan import OasisGanError

from .backend import compiled, tf
from .loss_inputs import LossInputs, Tensor

_SHAPE = (3, 16, 24)  # slices, rows, columns
_CHANNELS = (3, 1)  # of source and target
_SAME = 1e-4


def check_loss(name: str, compute: Callable[[LossInputs], Tensor]) -> int:
    """Check a loss that a plugin offers; return how many checks it kept.

    Args:
        name: What to call it in an error.
        compute: The loss.

    Raises:
        OasisGanError: Naming the first that it broke.
    """
    inputs = _make_inputs()
    losses = np.asarray(compute(inputs))
    _require(name, losses.shape == _SHAPE[:1], f"{_SHAPE[0]} numbers", f"shape {losses.shape}")
    _require(name, losses.dtype == np.float32, "float32", str(losses.dtype))
    _require(name, bool(np.isfinite(losses).all()), "finite losses", str(losses))

    with tf.GradientTape() as tape:
        tape.watch(inputs.generated)
        total = tf.reduce_sum(compute(inputs))
    gradient = tape.gradient(total, inputs.generated)
    _require(name, gradient is not None, "a gradient for the generator", "none")
    _require(name, bool(np.isfinite(np.asarray(gradient)).all()), "a finite gradient", "NaN or Inf")

    in_graph = np.asarray(compiled(lambda: compute(inputs))())
    _require(
        name, np.allclose(in_graph, losses, atol=_SAME), "the same in a tf.function", str(in_graph)
    )
    alone = np.asarray(compute(_part(inputs, 1)))
    _require(
        name, np.allclose(alone, losses[1:2], atol=_SAME), "a loss of each slice alone", str(alone)
    )
    return 7


def _make_inputs() -> LossInputs:
    """Return slices of noise, background around it."""
    rng = np.random.default_rng(0)
    channels_in, channels_out = _CHANNELS
    inside = np.zeros((*_SHAPE, 1), np.float32)
    inside[:, 3:-3, 3:-3] = 1
    source = rng.random((*_SHAPE, channels_in), np.float32) * inside
    real, generated = rng.random((2, *_SHAPE, channels_out), np.float32) * 2 * inside - 1
    return LossInputs(
        source=tf.constant(source),
        real=tf.constant(real),
        generated=tf.constant(generated),
        inside=tf.constant(inside),
    )


def _part(inputs: LossInputs, index: int) -> LossInputs:
    """Return one of the slices."""
    only = slice(index, index + 1)
    return LossInputs(
        source=inputs.source[only],
        real=inputs.real[only],
        generated=inputs.generated[only],
        inside=inputs.inside[only],
    )


def _require(name: str, kept: bool, expected: str, found: str) -> None:
    """Raise `OasisGanError` unless a check was kept."""
    if not kept:
        raise OasisGanError(f"loss {name}", expected=expected, found=found, remedy="fix the loss")
