"""Check the losses of plugins, as ``oasis-gan plugins --check`` asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backend import compile_graph, tf
from .loss_errors import BrokenLossError
from .loss_inputs import LossInputs, Tensor

_SHAPE = (3, 16, 24)  # slices, rows, columns
_SOURCE_CHANNELS = 3
_TARGET_CHANNELS = 1
_TOLERANCE = 1e-4

LossFunction = Callable[[LossInputs], Tensor]


def check_loss(name: str, compute: LossFunction) -> int:
    """Check a loss of a plugin, and return how many checks it passed.

    Args:
        name: The name of the loss, for errors.
        compute: The loss.

    Raises:
        BrokenLossError: If a check fails; the message names the first one.
    """
    checks = _Checks(name)
    inputs = _make_inputs()
    losses = np.asarray(compute(inputs))
    _check_values(checks, losses)
    _check_gradient(checks, compute, inputs)
    # What works eagerly may fail in a graph, and trainings compute in one.
    compute_in_graph = compile_graph(lambda: compute(inputs))
    in_graph = np.asarray(compute_in_graph())
    same_in_graph = np.allclose(in_graph, losses, atol=_TOLERANCE)
    checks.require(same_in_graph, "the same in a tf.function", str(in_graph))
    # Slices share a batch by chance, so they must not share a loss.
    only = slice(1, 2)
    alone = np.asarray(compute(_select_slices(inputs, only)))
    same_alone = np.allclose(alone, losses[only], atol=_TOLERANCE)
    checks.require(same_alone, "a loss of each slice alone", str(alone))
    return checks.passed


@dataclass
class _Checks:
    """The checks of one loss, which are counted as they pass."""

    name: str
    passed: int = 0

    def require(self, condition: bool, expected: str, found: str) -> None:
        """Raise `BrokenLossError` unless a condition holds."""
        if not condition:
            raise BrokenLossError(self.name, expected=expected, found=found)
        self.passed += 1


def _check_values(checks: _Checks, losses: NDArray[Any]) -> None:
    """Check that there is a finite number in 32 bits for each slice."""
    shape = _SHAPE[:1]
    checks.require(losses.shape == shape, f"{shape[0]} numbers", f"shape {losses.shape}")
    checks.require(losses.dtype == np.float32, "float32", str(losses.dtype))
    is_finite = bool(np.isfinite(losses).all())
    checks.require(is_finite, "finite losses", str(losses))


def _check_gradient(checks: _Checks, compute: LossFunction, inputs: LossInputs) -> None:
    """Check that the generator can learn from a loss."""
    with tf.GradientTape() as tape:
        tape.watch(inputs.generated)
        total = tf.reduce_sum(compute(inputs))
    gradient = tape.gradient(total, inputs.generated)
    checks.require(gradient is not None, "a gradient for the generator", "none")
    is_finite = bool(np.isfinite(np.asarray(gradient)).all())
    checks.require(is_finite, "a finite gradient", "NaN or Inf")


def _make_inputs() -> LossInputs:
    """Return slices of noise surrounded by background."""
    rng = np.random.default_rng(0)
    mask = np.zeros((*_SHAPE, 1), np.float32)
    mask[:, 3:-3, 3:-3] = 1
    source = rng.random((*_SHAPE, _SOURCE_CHANNELS), np.float32) * mask
    noise = rng.random((2, *_SHAPE, _TARGET_CHANNELS), np.float32)
    real, generated = noise * 2 * mask - 1
    return LossInputs(
        source=tf.constant(source),
        real=tf.constant(real),
        generated=tf.constant(generated),
        mask=tf.constant(mask),
    )


def _select_slices(inputs: LossInputs, selected: slice) -> LossInputs:
    """Return some of the slices."""
    return LossInputs(
        source=inputs.source[selected],
        real=inputs.real[selected],
        generated=inputs.generated[selected],
        mask=inputs.mask[selected],
    )
