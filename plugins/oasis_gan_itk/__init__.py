"""ITK plugin: writes MetaImage and NRRD, for SimpleITK, 3D Slicer and elastix."""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Exporter, hookimpl

from .exporter import write_metaimage, write_nrrd

__all__ = ["write_metaimage", "write_nrrd"]


@hookimpl
def oasis_gan_exporters() -> Iterator[Exporter]:
    """Offer the two exporters."""
    yield Exporter(
        name="metaimage",
        summary="MetaImage for ITK, compressed",
        suffix=".mha",
        write=write_metaimage,
    )
    yield Exporter(
        name="nrrd",
        summary="NRRD for ITK and 3D Slicer, gzipped",
        suffix=".nrrd",
        write=write_nrrd,
    )
