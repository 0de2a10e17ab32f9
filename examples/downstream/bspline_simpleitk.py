"""Register a synthetic volume to the real scan of its head with SimpleITK: N4, rigid, B-spline.

    python examples/downstream/bspline_simpleitk.py OUTPUT SEG REAL --out DIR

OUTPUT is what ``oasis-gan run`` made of the tissue map SEG; REAL is the scan that SEG belongs to.
Equal inputs give equal files: one thread, fixed seed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import SimpleITK as sitk  # noqa: N813
from comparison import Floats, Head, arguments, compare, run, to_array
from itk_downstream import correct_bias, register

_MESH = [6, 6, 6]  # B-spline cells along each axis: 25 to 35 mm
_COARSE_MM = 3.0  # the voxels that the B-spline is found on
_SEED = 1


def register_freely(moving: Any, head: Head) -> Floats:  # noqa: ANN401
    """Return the displacement from the real scan to ``moving`` at each voxel, (x, y, z, 3), mm."""
    corrected = correct_bias(moving, head.brain)
    rigid = register(corrected, head.real)
    spline = sitk.BSplineTransformInitializer(head.real, _MESH)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricFixedMask(head.brain)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.2, _SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsLBFGSB(gradientConvergenceTolerance=1e-6, numberOfIterations=30)
    method.SetShrinkFactorsPerLevel([max(1, round(_COARSE_MM / min(head.real.GetSpacing())))])
    method.SetSmoothingSigmasPerLevel([1.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetMovingInitialTransform(rigid)
    method.SetInitialTransform(spline, inPlace=True)
    method.Execute(head.real, corrected)
    both = sitk.CompositeTransform([rigid, spline])
    field = sitk.TransformToDisplacementField(
        both,
        sitk.sitkVectorFloat64,
        head.real.GetSize(),
        head.real.GetOrigin(),
        head.real.GetSpacing(),
        head.real.GetDirection(),
    )
    return to_array(field)


def example(head: Head, out: Path) -> None:
    """Register both images with SimpleITK."""
    compare(head, lambda image: register_freely(image, head), out)


@arguments
def main(output: Path, seg: Path, real: Path, out: Path) -> None:
    """Register OUTPUT and a noisy copy of REAL to REAL; write a table and a figure into DIR."""
    run(example, output, seg, real, out)


if __name__ == "__main__":
    main()
