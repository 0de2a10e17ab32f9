"""The rows of the paper's ablations (arXiv 1611.07004, tables 1 to 3): recipes, and its figures."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oasis_gan_pix2pix

Recipe = dict[str, Any]
Scores = tuple[float, float, float]
"""The paper's FCN-score on Cityscapes: per-pixel accuracy, per-class accuracy, class IoU."""

REAL: Scores = (0.80, 0.26, 0.21)
"""That of real photographs."""
STEPS = 300
"""Of the small budget, where no other number is asked for."""
_PAPER = Path(oasis_gan_pix2pix.__file__).parent / "recipes" / "paper.toml"
_AT_THE_END = 10**9  # steps between validations: the last step is always followed by one
_SMALL: Recipe = {
    "planes": ["axial"],
    "size": 192,
    "batch": 4,
    "learning_rate": 2e-4,
    "checkpoint_every": 50,
    "generator": {
        "levels": 5,
        "filters": 16,
        "norm": "batch",
        "upsample": "resize",
        "full_skip": False,
    },
    "discriminator": {"filters": 16, "norm": "batch"},
    "loss": {"l1_weight": 100.0, "gan_weight": 1.0},
}


@dataclass(frozen=True)
class Experiment:
    """A configuration to train: what sets it apart from U-Net, 70x70 PatchGAN, L1+cGAN.

    Args:
        name: Of the row, and of its folder.
        changes: Settings of the recipe, by table.
    """

    name: str
    changes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def recipe(self, budget: str, steps: int | None, seed: int) -> Recipe:
        """Return the settings to train it with; without steps, those of the budget."""
        base = _SMALL if budget == "small" else tomllib.loads(_PAPER.read_text("utf-8"))
        named = self.name.replace("+", "-")
        recipe = base | {
            "name": named,
            "seed": seed,
            "keep_checkpoints": 1,
            "validate_every": _AT_THE_END,
        }
        if steps or budget == "small":
            recipe.pop("epochs", None)
            recipe["steps"] = steps or STEPS
        sees = {"discriminator": {"input": "image"}}
        for changes in (sees, self.changes):
            recipe |= {
                table: {**recipe.get(table, {}), **changed} for table, changed in changes.items()
            }
        return recipe


@dataclass(frozen=True)
class Group:
    """One of the paper's tables.

    Args:
        title: What it varies.
        rows: What each row is called in it, the experiment it is, and the paper's figures.
    """

    title: str
    rows: tuple[tuple[str, str, Scores | None], ...]


def _objective(name: str, **more: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    return {"loss": {"objective": name}, **more}


_WITHOUT_SKIPS = {"architecture": "encoder-decoder"}

EXPERIMENTS = (
    Experiment("L1", _objective("L1")),
    Experiment("GAN", _objective("GAN")),
    Experiment("cGAN", _objective("cGAN")),
    Experiment("L1+GAN", _objective("L1+GAN")),
    Experiment("L1+cGAN", _objective("L1+cGAN")),
    Experiment("encoder-decoder-L1", _objective("L1", generator=_WITHOUT_SKIPS)),
    Experiment("encoder-decoder-L1+cGAN", _objective("L1+cGAN", generator=_WITHOUT_SKIPS)),
    *(
        Experiment(
            f"{across}x{across}", _objective("L1+cGAN", discriminator={"receptive_field": across})
        )
        for across in (1, 16, 286)
    ),
    Experiment("L1+cGAN-residual", _objective("L1+cGAN", discriminator={"input": "residual"})),
)
"""Each configuration once, even if several tables show it; the last is none of the paper's."""

GROUPS = (
    Group(
        "Loss",
        (
            ("L1", "L1", (0.42, 0.15, 0.11)),
            ("GAN", "GAN", (0.22, 0.05, 0.01)),
            ("cGAN", "cGAN", (0.57, 0.22, 0.16)),
            ("L1+GAN", "L1+GAN", (0.64, 0.20, 0.15)),
            ("L1+cGAN", "L1+cGAN", (0.66, 0.23, 0.17)),
        ),
    ),
    Group(
        "Generator",
        (
            ("Encoder-decoder (L1)", "encoder-decoder-L1", (0.35, 0.12, 0.08)),
            ("Encoder-decoder (L1+cGAN)", "encoder-decoder-L1+cGAN", (0.29, 0.09, 0.05)),
            ("U-Net (L1)", "L1", (0.48, 0.18, 0.13)),
            ("U-Net (L1+cGAN)", "L1+cGAN", (0.55, 0.20, 0.14)),
        ),
    ),
    Group(
        "Receptive field of the discriminator",
        (
            ("1x1", "1x1", (0.39, 0.15, 0.10)),
            ("16x16", "16x16", (0.65, 0.21, 0.17)),
            ("70x70", "L1+cGAN", (0.66, 0.23, 0.17)),
            ("286x286", "286x286", (0.42, 0.16, 0.11)),
        ),
    ),
    Group(
        "Beyond the paper",
        (("L1+cGAN, the discriminator sees the residual", "L1+cGAN-residual", None),),
    ),
)
