"""Give oasis-gan a reader, a model and an exporter: change the names and the format."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from oasis_gan import (
    OASIS,
    Canvas,
    Channels,
    Dataset,
    Exporter,
    Geometry,
    Mask,
    ModelCard,
    ModelKind,
    OasisGanError,
    Plane,
    Scan,
    Selection,
    SlicewiseTranslator,
    Subject,
    Volume,
    Window,
    hookimpl,
    plane_option,
    slicewise,
    write_atomically,
)

# The version of oasis_gan's API that this plugin is written for.
oasis_gan_api_version = 1
SUFFIX = ".npy"

# The reader: one function reads a file, one lists subjects without reading them, and one
# recognises its own format.


def read(path: Path, max_voxels: int) -> Volume:
    """Read a volume.

    Raises:
        OasisGanError: If the file holds none, or one of more than ``max_voxels``.
    """
    try:
        # A map: nothing is in memory yet.
        voxels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise OasisGanError(
            path, expected="a NumPy array", found=str(error), remedy="save it again"
        ) from None
    if voxels.ndim != 3 or voxels.dtype.kind not in "iuf":
        found = f"{voxels.dtype} of shape {voxels.shape}"
        raise OasisGanError(
            path, expected="numbers in three dimensions", found=found, remedy="save it again"
        )
    if voxels.size > max_voxels:
        expected = f"at most {max_voxels} voxels"
        found = f"shape {voxels.shape}"
        raise OasisGanError(
            path, expected=expected, found=found, remedy="crop it, or raise --max-voxels"
        )
    # The affine takes (i, j, k) to millimetres towards right, front and top. Take it from the
    # file, and refuse a file that does not say it.
    return Volume(np.array(voxels), Geometry(voxels.shape, np.eye(4)))


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the volumes of a file or folder; ``--source-suffix`` selects files of a folder.

    Raises:
        OasisGanError: If there is none.
    """
    root = selection.root
    ending = selection.source_suffix or SUFFIX
    paths = (
        [path for path in _list_files(root) if path.name.endswith(ending)]
        if root.is_dir()
        else [root]
    )
    if not paths or not paths[0].exists():
        raise OasisGanError(
            root, expected=f"*{ending} files", found="none", remedy="check path and suffix"
        )
    for path in paths:
        # The path below the root, so that no two subjects have one name.
        relative = path.relative_to(root if root.is_dir() else root.parent)
        name = "_".join(relative.with_suffix("").parts)
        # Say here what else your format knows: Scan(..., labels=...),
        # Subject(..., target=Scan(...), split="test").
        yield Subject(name, Scan(path, partial(read, max_voxels=selection.max_voxels)))


def recognises(path: Path) -> bool:
    """Whether a file is called like ours, or a folder holds one."""
    return bool(_list_files(path)) if path.is_dir() else path.suffix == SUFFIX


def _list_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"*{SUFFIX}"))


# The model: `predict` takes slices (n, rows, columns, channels) in [0, 1] and returns such slices;
# `slicewise` makes a model of volumes from it. A model of whole volumes has a method `translate`
# instead, see `oasis_gan.Translator`.

GREYS = np.array([[0.30], [0.55], [0.75]], np.float32)
PLANES = tuple(Plane)
CARD = ModelCard(
    name="my-plugin",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 1000), (0, 1)),
    output="paint",
    options=(plane_option(PLANES),),
)


def predict(slices: Channels, mask: Mask) -> Channels:
    """Paint each tissue of a label map in one grey; pixels outside the mask are thrown away."""
    return np.asarray(slices @ GREYS)


def card(folder: Path) -> ModelCard:
    """Return what goes into the model in ``folder``, what comes out, and what can be chosen."""
    return CARD


def load(folder: Path, plane: str = "auto") -> SlicewiseTranslator:
    """Return the model in ``folder``: each option of the card is an argument.

    This is the place to load a network.
    """
    canvas = Canvas(spacing=1.0, size=1, multiple=1)
    return slicewise(predict, CARD, planes=PLANES, canvas=canvas, plane=plane)


# The exporter: bytes of the whole file, and one call that writes all of them or nothing.


def write(volume: Volume, path: Path) -> None:
    """Write the voxels of a volume.

    Raises:
        OSError: As the file system says; nothing is left under ``path``.
    """
    file = io.BytesIO()
    np.save(file, volume.voxels)
    write_atomically(path, file.getvalue())


# The hooks: what the plugin offers.


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer the reader."""
    yield Dataset(
        name="my-plugin",
        summary="NumPy arrays, 1 mm",
        open=subjects,
        recognises=recognises,
    )


@hookimpl
def oasis_gan_models() -> Iterator[ModelKind]:
    """Offer the model."""
    yield ModelKind(
        name="my-plugin",
        summary="One grey a tissue",
        card=card,
        load=load,
        shipped={"my-plugin": Path(__file__).parent},
    )


@hookimpl
def oasis_gan_exporters() -> Iterator[Exporter]:
    """Offer the exporter."""
    yield Exporter(
        name="my-plugin",
        summary="NumPy array, no geometry",
        suffix=SUFFIX,
        write=write,
    )
