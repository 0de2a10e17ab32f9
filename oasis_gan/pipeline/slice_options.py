"""Describe the options that models of slices have in common."""

from __future__ import annotations

from collections.abc import Sequence

from ..image.choices import Plane
from ..plugin.models import FLIP, UNCERTAINTY
from ..plugin.options import Option

AUTO_PLANE = "auto"
"""The first plane of the model, or, for a thin volume, the plane with the largest slices."""
ALL_PLANES = "all"
"""The mean over all planes of the model."""


def plane_option(planes: Sequence[Plane]) -> Option:
    """Return the option by which a user chooses among the planes of a model of slices.

    Args:
        planes: The planes that the model was trained in; the first is the default.
    """
    names = [plane.value for plane in planes]
    automatic = f"auto is {names[0]} unless a volume is too thin for it"
    return Option(
        name="plane",
        help=f"Slice in this plane: all averages every plane, {automatic}.",
        default=AUTO_PLANE,
        choices=(AUTO_PLANE, *names, ALL_PLANES),
    )


def uncertainty_option() -> Option:
    """Return the option by which a user asks a model of slices for a map of its uncertainty."""
    return Option(
        name=UNCERTAINTY,
        help=(
            "Also write the standard deviation of the answers in different planes, mirrored, with"
            " other noise and with other weights."
        ),
        default=False,
    )


def flip_option() -> Option:
    """Return the option by which a user asks a model of slices to answer for mirrored heads too."""
    return Option(
        name=FLIP,
        help=(
            "Average the answers for the head and for its mirror image, in the axial and coronal"
            " planes; takes about twice as long."
        ),
        default=False,
    )
