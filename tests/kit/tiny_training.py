"""Trainings that take seconds: a ball of three tissues, and recipes for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras.hardware import Precision
from oasis_gan_pix2pix.prediction import LinearPrediction
from oasis_gan_pix2pix.training import train

from oasis_gan import Geometry, Scan, Subject, TrainingRequest, Volume

SHAPE = (20, 24, 22)
PRECISIONS: tuple[tuple[Precision, float], ...] = (("float32", 1e-5), ("bfloat16", 2e-2))
"""Each with how far answers for one slice may lie apart, in [0, 1], as batches differ in size."""
TINY: dict[str, Any] = {
    "size": 16,
    "steps": 4,
    "batch": 2,
    "augmentation": {"shift": 2, "zoom": 0.1},
    "generator": {"levels": 2, "filters": 4},
    "discriminator": {"receptive_field": 16, "filters": 4},
}
PREDICTION = LinearPrediction(np.array([[0.3], [0.55], [0.75]], np.float32), 0.1)
PLAIN: dict[str, Any] = {
    "generator": {"levels": 2, "filters": 4, "norm": "none"},
    "discriminator": {"receptive_field": 16, "filters": 4, "norm": "none"},
}
EXACT: dict[str, Any] = {**PLAIN, "precision": "float32"}
"""For comparisons that bfloat16, with its 8 significant bits, would not pass."""
OBJECTIVES = ["L1", "GAN", "cGAN", "L1+GAN", "L1+cGAN"]
LONG: dict[str, Any] = {
    **TINY,
    "steps": 12,
    "checkpoint_every": 3,
    "validate_every": 4,
    "keep_checkpoints": 2,
    "ema_decay": 0.9,
    "pretraining": {"steps": 5},
    "generator": {"levels": 2, "filters": 4, "norm": "batch", "dropout": 0.5},
    "discriminator": {"receptive_field": 16, "filters": 4, "norm": "batch"},
}


def head(seed: int = 0, spacing: float = 1.0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a ball of three tissues, and an image in which each has its grey and some noise."""
    rng = np.random.default_rng(seed)
    grid = np.indices(SHAPE) - np.array(SHAPE).reshape(3, 1, 1, 1) / 2
    radius = np.sqrt((grid**2).sum(0)) + rng.normal(0, 0.3, SHAPE)
    labels = np.select([radius < 4, radius < 7, radius < 9], [3, 2, 1], 0).astype(np.uint8)
    image = np.array([0, 30, 60, 90])[labels] + rng.normal(0, 2, SHAPE) * (labels > 0)
    return labels, image.astype(np.float32)


def subject(
    name: str,
    labels: NDArray[Any],
    image: NDArray[Any],
    spacing: float = 1.0,
    **further: NDArray[Any],
) -> Subject:
    """Return a pair in memory, with further sources by name."""
    geometry = Geometry(SHAPE, np.diag([spacing, spacing, spacing, 1.0]))

    def scan(file: str, voxels: NDArray[Any]) -> Scan:
        return Scan(Path(f"{file}.nii"), lambda _: Volume(voxels, geometry))

    beside = {other: scan(f"{name}_{other}", voxels) for other, voxels in further.items()}
    return Subject(name, scan(name, labels), scan(name, image), further=beside)


def run(
    out: Path,
    recipe: dict[str, Any],
    resume: bool = False,
    learnt: Subject | None = None,
    held_out: Subject | None = None,
) -> list[str]:
    """Train on a subject and measure on another one; return what is reported."""
    lines: list[str] = []
    request = TrainingRequest(
        subjects=(learnt or subject("a", *head()),),
        validation=(held_out or subject("b", *head(1)),),
        out=out,
        recipe=recipe,
        report=lines.append,
        resume=resume,
    )
    train(request)
    return lines


def batch(seed: int = 0, size: int = 16) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (3, size, size))
    return np.eye(4, dtype=np.float32)[labels][..., 1:], rng.random((3, size, size, 1)).astype(
        np.float32
    )
