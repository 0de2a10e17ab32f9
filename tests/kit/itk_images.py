"""Images of SimpleITK for tests, and where SimpleITK puts their voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from hypothesis import strategies as st
from nibabel.eulerangles import euler2mat
from numpy.typing import NDArray

LPS = np.diag([-1.0, -1.0, 1.0])
"""Turns RAS+ into LPS+, in which ITK works, and back."""
AXES: NDArray[np.float64] = np.array(euler2mat(0.3, -0.2, 0.1)) @ np.diag([1.0, -1.0, 1.0])
"""The directions of a tilted head that is stored from front to back."""
VOXELS: NDArray[np.int16] = np.random.default_rng(0).integers(-900, 900, (4, 5, 6)).astype(np.int16)


def make_image(
    voxels: NDArray[Any] = VOXELS,
    axes: NDArray[np.float64] = AXES,
    spacing: tuple[float, ...] = (0.7, 1.1, 2.5),
    origin: tuple[float, ...] = (-61.5, 40.25, -12.75),
) -> Any:  # noqa: ANN401 - SimpleITK has no types
    """Return an image with these directions (in columns), spacing and origin, in LPS+ mm."""
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(voxels.T))
    image.SetSpacing(spacing)
    image.SetDirection(axes.ravel().tolist())
    image.SetOrigin(origin)
    return image


def save_image(path: Path, image: Any = None, *, compressed: bool = False) -> Path:  # noqa: ANN401
    """Write an image in the format that the name asks for, and return the path."""
    SimpleITK.WriteImage(make_image() if image is None else image, str(path), compressed)
    return path


def itk_affine(path: Path) -> NDArray[np.float64]:
    """Return where SimpleITK puts the voxels of a file, from voxels to RAS+ mm."""
    image = SimpleITK.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = LPS @ np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = LPS @ image.GetOrigin()
    return affine


@st.composite
def images(draw: st.DrawFn) -> Any:  # noqa: ANN401
    """Draw an image that lies anywhere, in any orientation, with voxels of any size."""
    angles = [draw(st.floats(-3.2, 3.2)) for _ in range(3)]
    order = draw(st.permutations(range(3)))
    signs = [draw(st.sampled_from([-1.0, 1.0])) for _ in range(3)]
    axes = np.array(euler2mat(*angles)) @ np.diag(signs)[:, order]
    return make_image(
        axes=axes,
        spacing=tuple(draw(st.floats(0.1, 10)) for _ in range(3)),
        origin=tuple(draw(st.floats(-500, 500)) for _ in range(3)),
    )
