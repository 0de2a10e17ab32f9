"""Register a synthetic volume to the real scan of the same head with elastix: rigid, then B-spline.

    pip install itk-elastix
    python examples/downstream/bspline_elastix.py OUTPUT SEG REAL --out DIR

OUTPUT is what ``oasis-gan run`` made of the tissue map SEG; REAL is the scan that SEG belongs to.
Parameters are elastix's defaults, with a coarser mesh; one thread, fixed seed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from comparison import Floats, Head, arguments, compare, run

try:
    import itk
except ImportError:
    raise SystemExit("itk: expected elastix, found none; run pip install itk-elastix") from None

_SEED = "1"
_MESH_MM = "30"


def to_itk(image: Any, dtype: type[np.generic]) -> Any:  # noqa: ANN401
    """Return a SimpleITK image as an image of ITK."""
    converted = itk.image_from_array(sitk.GetArrayFromImage(image).astype(dtype))
    converted.SetSpacing(image.GetSpacing())
    converted.SetOrigin(image.GetOrigin())
    converted.SetDirection(np.reshape(image.GetDirection(), (3, 3)))
    return converted


def make_parameters() -> Any:  # noqa: ANN401
    """Return the parameters of a rigid registration and of a B-spline that follows."""
    parameters = itk.ParameterObject.New()
    for kind in ("rigid", "bspline"):
        chosen = parameters.GetDefaultParameterMap(kind, 3)
        chosen["RandomSeed"] = [_SEED]
        chosen["MaximumNumberOfIterations"] = ["100"]
        # The whole brain is sampled, not the empty space around it.
        chosen["ImageSampler"] = ["RandomSparseMask"]
        if kind == "bspline":
            chosen["FinalGridSpacingInPhysicalUnits"] = [_MESH_MM]
        parameters.AddParameterMap(chosen)
    return parameters


def register(moving: Any, head: Head) -> Floats:  # noqa: ANN401
    """Return the displacement from the real scan to ``moving`` at each voxel, (x, y, z, 3), mm."""
    fixed = to_itk(head.real, np.float32)
    moved = to_itk(moving, np.float32)
    _, found = itk.elastix_registration_method(
        fixed,
        moved,
        parameter_object=make_parameters(),
        fixed_mask=to_itk(head.brain, np.uint8),
        number_of_threads=1,
        log_to_console=False,
    )
    # transformix also writes the field to a file.
    with tempfile.TemporaryDirectory() as folder:
        field = itk.transformix_deformation_field(moved, found, output_directory=folder)
    return np.moveaxis(itk.array_from_image(field), (0, 2), (2, 0))


def example(head: Head, out: Path) -> None:
    """Register both images with elastix."""
    compare(head, lambda image: register(image, head), out)


@arguments
def main(output: Path, seg: Path, real: Path, out: Path) -> None:
    """Register OUTPUT and a noisy copy of REAL to REAL; write a table and a figure into DIR."""
    run(example, output, seg, real, out)


if __name__ == "__main__":
    main()
