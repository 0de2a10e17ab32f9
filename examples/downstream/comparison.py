"""Compare two registered images for all examples of this folder: a table and a figure.

Each example registers two images to the real scan of a head, without being told that both are of
the same head: the synthetic volume, and the real scan with some noise. No voxel should move. How
far voxels move all the same is the error that each image causes in this analysis, and the noisy
scan shows what the method itself contributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation calls it so
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from oasis_gan import OASIS, OasisGanError, read_nifti, write_atomically

Floats = NDArray[np.floating[Any]]
Row = Sequence[str]

NOISE = 0.03
"""Standard deviation of the noise on the real scan, as a share of the mean of white matter."""
_SEED = 1


@dataclass(frozen=True)
class Head:
    """A real scan, a label map and a synthetic volume that lie on one grid, as SimpleITK images."""

    real: Any
    labels: Any
    synthetic: Any

    @property
    def brain(self) -> Any:  # noqa: ANN401 - SimpleITK has no types
        """Return the mask of the labelled voxels."""
        return sitk.Cast(self.labels > 0, sitk.sitkUInt8)

    def add_noise(self) -> Any:  # noqa: ANN401
        """Return the real scan with noise, as if it had been taken again."""
        voxels = sitk.GetArrayFromImage(self.real)
        labels = sitk.GetArrayFromImage(self.labels)
        deviation = NOISE * voxels[labels == OASIS.value_of("WM")].mean()
        noise = np.random.default_rng(_SEED).normal(0, deviation, voxels.shape)
        noisy = np.where(labels > 0, voxels + noise, voxels)
        image = sitk.GetImageFromArray(noisy.astype(np.float32))
        image.CopyInformation(self.real)
        return image


def read_head(output: Path, seg: Path, real: Path) -> Head:
    """Read the three volumes, and check that they share a grid.

    Raises:
        OasisGanError: If a file is damaged, SEG is no tissue map, or the grids differ.
    """
    volumes = [read_nifti(path) for path in (output, seg, real)]
    for path, volume in zip((output, real), (volumes[0], volumes[2]), strict=True):
        volumes[1].geometry.require_same_grid(volume.geometry, path)
    OASIS.clean(volumes[1], seg)
    return Head(
        real=sitk.ReadImage(str(real), sitk.sitkFloat32),
        labels=sitk.Cast(sitk.ReadImage(str(seg), sitk.sitkFloat32), sitk.sitkUInt8),
        synthetic=sitk.ReadImage(str(output), sitk.sitkFloat32),
    )


def measure_displacement(name: str, field: Floats, labels: NDArray[np.uint8]) -> list[Row]:
    """Return a row of the table for each tissue, and one for the whole brain.

    Args:
        name: The image that was registered.
        field: How far each voxel moves, (x, y, z, 3), mm.
        labels: The label map, (x, y, z).
    """
    distance = np.linalg.norm(field, axis=-1)
    regions = {"brain": labels > 0}
    for label in OASIS.labels:
        regions[label.name] = labels == label.value
    rows: list[Row] = []
    for region, inside in regions.items():
        median, high = np.percentile(distance[inside], [50, 95])
        rows.append((name, region, f"{median:.2f}", f"{high:.2f}"))
    return rows


def write_table(columns: Row, rows: Sequence[Row], path: Path) -> None:
    """Write a table as TSV, and print it."""
    table = [columns, *rows]
    text = "".join("\t".join(row) + "\n" for row in table)
    write_atomically(path, text.encode())
    for row in table:
        click.echo("".join(cell.ljust(14) for cell in row).rstrip())


def draw(head: Head, fields: Mapping[str, Floats], path: Path) -> None:
    """Draw a middle slice of both scans, and how far its voxels moved in each registration."""
    labels = to_array(head.labels)
    middle = int(np.median(np.nonzero(labels)[2]))
    figure = Figure(figsize=(3 * (2 + len(fields)), 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 2 + len(fields))
    for axis, (title, image) in zip(
        axes, {"real": head.real, "synthetic": head.synthetic}.items(), strict=False
    ):
        axis.imshow(to_array(image)[:, :, middle].T, cmap="gray", origin="lower")
        axis.set_title(title)
    for axis, (title, field) in zip(axes[2:], fields.items(), strict=True):
        distance = np.linalg.norm(field[:, :, middle], axis=-1)
        shown = np.where(labels[:, :, middle] > 0, distance, np.nan)
        drawn = axis.imshow(shown.T, cmap="viridis", origin="lower", vmin=0, vmax=2)
        axis.set_title(f"{title}: displacement")
    figure.colorbar(drawn, ax=axes[2:], label="mm")
    for axis in axes:
        axis.set_axis_off()
    figure.savefig(path, dpi=100)


def to_array(image: Any) -> NDArray[Any]:  # noqa: ANN401
    """Return the voxels of a SimpleITK image, (x, y, z) or (x, y, z, components)."""
    voxels = sitk.GetArrayFromImage(image)
    return np.moveaxis(voxels, (0, 2), (2, 0))


def compare(
    head: Head,
    register: Callable[[Any], Floats],
    out: Path,
) -> None:
    """Register both images, write ``displacement.tsv`` and its figure, and print the table.

    Args:
        head: The volumes.
        register: Registers an image to the real scan, and returns how far each voxel moves.
        out: The folder to write to; created if needed.
    """
    out.mkdir(parents=True, exist_ok=True)
    labels = to_array(head.labels)
    images = {"noisy real": head.add_noise(), "synthetic": head.synthetic}
    fields = {name: register(image) for name, image in images.items()}
    rows: list[Row] = []
    for name, field in fields.items():
        rows += measure_displacement(name, field, labels)
    write_table(("image", "region", "median_mm", "p95_mm"), rows, out / "displacement.tsv")
    draw(head, fields, out / "displacement.png")


def run(
    example: Callable[[Head, Path], None], output: Path, seg: Path, real: Path, out: Path
) -> None:
    """Run an example, and print an error as one line."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        example(read_head(output, seg, real), out)
    except (OasisGanError, OSError, RuntimeError) as error:
        # ITK says where in its source it gave up, and why in its last line.
        raise SystemExit(str(error).strip().splitlines()[-1]) from None


def arguments(command: Callable[..., None]) -> click.Command:
    """Make a command of a function that takes ``output``, ``seg``, ``real`` and ``out``."""
    file = click.Path(path_type=Path, dir_okay=False)
    folder = click.Path(path_type=Path, file_okay=False)
    help_of_out = "Folder for the results."
    command = click.option("--out", type=folder, required=True, help=help_of_out)(command)
    for name in ("real", "seg", "output"):
        command = click.argument(name, type=file)(command)
    return click.command()(command)
