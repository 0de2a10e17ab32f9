"""Plan the passes of a model of slices over a volume: planes, mirror images and draws of noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..image.choices import Plane
from ..image.slicing import SliceStack


@dataclass(frozen=True)
class Pass:
    """One pass of a model, which reads all slices of a volume.

    Args:
        plane: The slicing plane.
        mirrored: Whether left and right are exchanged for the model, and its answer is turned back.
        redrawn: Whether the model answers with another draw of its noise.
        share: The weight of the answer in the result; 0 if it only serves the uncertainty.
        weight: The weight of the answer in the uncertainty.
        weights: The number of the weights of the network that answer; 0 for the first.
    """

    plane: Plane
    mirrored: bool = False
    redrawn: bool = False
    share: float = 1.0
    weight: float = 1.0
    weights: int = 0

    def turn(self, stack: SliceStack) -> SliceStack:
        """Return a stack as the model sees it, or an answer as it lies in the volume.

        The slices of a stack run along R, A and S, so left and right are exchanged in the world,
        whatever the order of the voxels in the file; in an oblique scan, along the axis nearest to
        left-right.
        """
        if not self.mirrored:
            return stack
        flipped = np.flip(stack.slices, _find_left_right_axis(self.plane))
        return SliceStack(flipped, stack.geometry, stack.plane)

    def describe(self) -> str:
        """Return the pass in words, such as ``axial, mirrored, other noise``."""
        mirrored = ", mirrored" if self.mirrored else ""
        redrawn = ", other noise" if self.redrawn else ""
        other = f", weights {self.weights + 1}" if self.weights else ""
        return f"{self.plane.value}{mirrored}{redrawn}{other}"


def plan_passes(
    planes: Sequence[Plane],
    offered: Sequence[Plane],
    *,
    can_mirror: bool,
    can_redraw: bool,
    context: int = 0,
    flip: bool = False,
    weights: int = 1,
) -> list[Pass]:
    """Return the passes from which the result and its uncertainty are computed.

    Each plane that the model offers has a second pass if a mirrored head or other noise makes a
    difference. All planes have the same weight, in the result and in the uncertainty.

    Args:
        planes: The planes of the result.
        offered: The planes that the model could slice the volume in.
        can_mirror: Whether the sources may be mirrored.
        can_redraw: Whether the model has noise or dropout.
        context: How many neighbouring slices on each side the model sees.
        flip: Whether mirrored passes are part of the result.
        weights: How many weights the model has; each of them makes the same passes.
    """
    every = list(dict.fromkeys((*planes, *offered)))
    first_passes = []
    second_passes = []
    for plane in every:
        # A mirrored sagittal stack has the same slices, in another order.
        mirrored = can_mirror and (plane is not Plane.SAGITTAL or context > 0)
        first = Pass(plane, share=float(plane in planes))
        if mirrored or can_redraw:
            first = replace(first, weight=0.5)
            second = replace(first, mirrored=mirrored, redrawn=can_redraw, share=0.0)
            if flip and mirrored:
                first = replace(first, share=first.share / 2)
                second = replace(second, share=first.share)
            second_passes.append(second)
        first_passes.append(first)
    passes = first_passes + second_passes
    return [replace(one, weights=number) for number in range(weights) for one in passes]


def _find_left_right_axis(plane: Plane) -> int:
    """Return the axis of a stack that runs from left to right: 0 for the slices, 1 for rows."""
    return 0 if plane is Plane.SAGITTAL else 1
