"""Define the settings that vary the training slices."""

from __future__ import annotations

from pydantic import Field

from .limits import MAX_DISPLACEMENT
from .settings import Settings


class AugmentationSettings(Settings):
    """Settings that vary the training slices (section 6.2 of arXiv 1611.07004)."""

    enlarge: float = Field(
        1.0,
        ge=1,
        le=2,
        description="Enlarge every slice by this factor; 286 / 256 in the Pix2Pix paper.",
    )
    shift: int = Field(8, ge=0, le=256, description="Shift slices by up to this many pixels.")
    zoom: float = Field(
        0.0, ge=0, lt=0.5, description="Scale every other slice by up to this fraction."
    )
    rotate: float = Field(0.0, ge=0, le=45, description="Rotate slices by up to this many degrees.")
    deform: float = Field(
        0.0,
        ge=0,
        le=MAX_DISPLACEMENT,
        description="Deform every other slice smoothly, by up to this many pixels.",
    )
    flip: bool = Field(
        True, description="Swap left and right in half of the slices that show both."
    )
    intensity: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Vary gain and gamma of source images by up to this fraction.",
    )
    bias: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Vary the brightness of source images smoothly across each slice, by up to "
        "this fraction, as a bias field does.",
    )
    noise: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Add Gaussian noise to source images, whose standard deviation is up to this "
        "fraction of the intensity range.",
    )
