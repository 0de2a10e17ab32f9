"""The objectives of Pix2Pix: equations 1 to 4 of arXiv 1611.07004, as the paper's section 3.3 trains them."""

from __future__ import annotations

from typing import Any

from .backend import tf

Tensor = Any


def l1(real: Tensor, generated: Tensor) -> Tensor:
    """Return the mean absolute difference (equation 3)."""
    return tf.reduce_mean(tf.abs(real - generated))


def adversarial(generated_logits: Tensor) -> Tensor:
    """Return how far the discriminator is from calling what was generated real: -log D(G(x)), the mean over patches."""
    return _cross_entropy(generated_logits, tf.ones_like(generated_logits))


def discrimination(real_logits: Tensor, generated_logits: Tensor) -> Tensor:
    """Return the discriminator's loss, halved so that it learns no faster than the generator (section 3.3)."""
    real = _cross_entropy(real_logits, tf.ones_like(real_logits))
    generated = _cross_entropy(generated_logits, tf.zeros_like(generated_logits))
    return (real + generated) / 2


def _cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=logits))
