"""Scale the uncertainty of a model to the size of its errors."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

import numpy as np
from oasis_gan_keras.settings import Settings, setting_error
from pydantic import Field, model_validator

Scale = Annotated[float, Field(gt=0, lt=1000)]
Texture = Annotated[float, Field(ge=0, le=1)]


class UncertaintyCalibration(Settings):
    """The factors that scale the spread of a model's answers to the size of its errors.

    Args:
        scales: A factor for each texture; between two of them it is interpolated. A model without
            texture has one.
        textures: These textures, increasing; empty if there is no choice.
        heads: The number of heads it was learnt on, none of which the model was trained on.
        method: How it was learnt.
    """

    scales: tuple[Scale, ...] = Field(min_length=1, max_length=100)
    textures: tuple[Texture, ...] = ()
    heads: int = Field(ge=1)
    method: str = Field(max_length=1000)

    @model_validator(mode="after")
    def _has_a_scale_for_each_texture(self) -> Self:
        """Reject factors that could not be interpolated."""
        found = len(self.scales)
        if found != max(len(self.textures), 1):
            raise setting_error("scales", "one for each texture", found)
        if any(after <= before for before, after in pairwise(self.textures)):
            raise setting_error("textures", "increasing numbers", self.textures)
        return self

    def scale_at(self, texture: float | None) -> float:
        """Return the factor at a texture; None where the model has no choice of it."""
        if texture is None or not self.textures:
            return self.scales[-1]
        return float(np.interp(texture, self.textures, self.scales))
