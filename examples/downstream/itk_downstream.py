"""Show what an ITK user does with a volume: check its space, correct its bias, register, measure.

    python examples/downstream/itk_downstream.py OUTPUT SEG T1 --out DIR

OUTPUT is what ``oasis-gan run`` made of the tissue map SEG; T1 is a real scan of that head, which
may lie elsewhere in space. Equal inputs give equal files: one thread, fixed seed.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation calls it so
from oasis_gan_nifti import write_nifti

from oasis_gan import OASIS, Geometry, OasisGanError, Volume, read_nifti, write_atomically

Image = Any  # SimpleITK is untyped here
Transform = Any
Row = tuple[str, ...]

COLUMNS: Row = ("image", "tissue", "voxels", "volume_ml", "mean", "std")
_SPACE = ("Size", "Spacing", "Origin", "Direction")
# voxels finer than this add time and little else to a bias field or a rigid fit
_COARSE_MM = 4.0
_FINE_MM = 2.0
_SEED = 1


def check_same_space(output: Image, source: Image) -> None:
    """Stop with one line unless ITK sees both on the same grid, to the bit."""
    for what in _SPACE:
        found, expected = (getattr(image, f"Get{what}")() for image in (output, source))
        if found != expected:
            raise SystemExit(
                f"{what.lower()} of OUTPUT: expected {expected} as in SEG, found {found}"
            )


def correct_bias(image: Image, mask: Image) -> Image:
    """Return ``image`` without its bias field, which N4 estimates on coarse voxels.

    N4: doi:10.1109/TMI.2010.2046908.
    """
    shrink = _choose_factors(image, _COARSE_MM)
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([20, 20, 10])
    n4.Execute(sitk.Shrink(image, shrink), sitk.Shrink(mask, shrink))
    corrected = image / sitk.Exp(n4.GetLogBiasFieldAsImage(image))
    return sitk.Mask(sitk.Cast(corrected, sitk.sitkFloat32), mask)


def register(moving: Image, fixed: Image) -> Transform:
    """Return the rigid transform from ``fixed`` to ``moving`` with the most mutual information."""
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentagePerLevel([0.3, 0.1], _SEED)
    method.SetShrinkFactorsPerLevel(
        [max(_choose_factors(fixed, size)) for size in (_COARSE_MM, _FINE_MM)]
    )
    method.SetSmoothingSigmasPerLevel([_COARSE_MM / 2, _FINE_MM / 2])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=1.0, minStep=1e-3, numberOfIterations=100
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(start, inPlace=False)
    return sitk.Euler3DTransform(
        sitk.CompositeTransform(method.Execute(fixed, moving)).GetBackTransform()
    )


def tissue_rows(name: str, image: Image, labels: Image) -> Iterator[Row]:
    """Yield a row of the table for each tissue in ``labels``."""
    statistics = sitk.LabelStatisticsImageFilter()
    statistics.Execute(image, labels)
    millilitres = math.prod(image.GetSpacing()) / 1000
    for label in OASIS.labels:
        if statistics.HasLabel(label.value):
            count = statistics.GetCount(label.value)
            mean = statistics.GetMean(label.value)
            std = statistics.GetSigma(label.value)
            yield (
                name,
                label.name,
                str(count),
                f"{count * millilitres:.2f}",
                f"{mean:.2f}",
                f"{std:.2f}",
            )


def write_on_grid(image: Image, geometry: Geometry, path: Path) -> None:
    """Write an ITK image that lies on the grid of ``geometry``.

    The file gets its name once it is complete. SimpleITK does not write it, because it says
    nothing when the disk is full.
    """
    voxels = sitk.GetArrayFromImage(image).T
    write_nifti(Volume(np.ascontiguousarray(voxels), geometry), path)


def write_transform(transform: Transform, path: Path) -> None:
    """Write a transform in ITK's text format, whole or not at all."""
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder, "rigid.tfm")
        sitk.WriteTransform(transform, str(temporary))
        write_atomically(path, temporary.read_bytes())


def _choose_factors(image: Image, size_mm: float) -> list[int]:
    """Return by how much to shrink each axis for voxels of about ``size_mm``."""
    return [max(1, round(size_mm / spacing)) for spacing in image.GetSpacing()]


def _read(path: Path) -> Image:
    """Read an image as float32."""
    return sitk.ReadImage(str(path), sitk.sitkFloat32)


def _describe(transform: Transform) -> str:
    turn = np.array(transform.GetMatrix()).reshape(3, 3)
    degrees = math.degrees(math.acos(float(np.clip((turn.trace() - 1) / 2, -1, 1))))
    # About the centre of rotation: at the origin it would depend on where that happens to be.
    millimetres = np.linalg.norm(transform.GetTranslation())
    return f"rotation {degrees:.2f} degrees, translation {millimetres:.2f} mm"


def downstream(output: Path, seg: Path, t1: Path, out: Path) -> list[Row]:
    """Do all the steps, write their results into ``out`` and return the table.

    Raises:
        OasisGanError: If a file is damaged, which ITK would not notice, or SEG is no tissue map.
    """
    geometry = [read_nifti(path).geometry for path in (output, seg, t1)][-1]
    OASIS.clean(read_nifti(seg), seg)
    generated = _read(output)
    real = _read(t1)
    labels = sitk.Cast(_read(seg), sitk.sitkUInt8)
    check_same_space(generated, labels)

    corrected = correct_bias(generated, labels > 0)
    transform = register(corrected, real)
    registered = sitk.Resample(corrected, real, transform, sitk.sitkLinear, 0.0)
    labels_on_real = sitk.Resample(labels, real, transform, sitk.sitkNearestNeighbor, 0)
    table = [
        COLUMNS,
        *tissue_rows("generated", generated, labels),
        *tissue_rows("corrected", corrected, labels),
        *tissue_rows("real", real, labels_on_real),
    ]

    out.mkdir(parents=True, exist_ok=True)
    write_on_grid(registered, geometry, out / "registered.nii.gz")
    write_transform(transform, out / "rigid.tfm")
    write_atomically(out / "tissues.tsv", "".join("\t".join(row) + "\n" for row in table).encode())
    click.echo(_describe(transform), err=True)
    return table


_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("output", type=_FILE)
@click.argument("seg", type=_FILE)
@click.argument("t1", type=_FILE)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the results.",
)
def main(output: Path, seg: Path, t1: Path, out: Path) -> None:
    """Write DIR/registered.nii.gz, DIR/rigid.tfm and DIR/tissues.tsv, and print the table."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        table = downstream(output, seg, t1, out)
    except (OasisGanError, OSError, RuntimeError) as error:
        # ITK says where in its source it gave up, and why in its last line.
        raise SystemExit(str(error).strip().splitlines()[-1]) from None
    for row in table:
        click.echo("".join(cell.ljust(11) for cell in row).rstrip())


if __name__ == "__main__":
    main()
