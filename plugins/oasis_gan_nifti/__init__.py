"""NIfTI plugin: reads NIfTI and the formats beside it; writes NIfTI for nibabel and ITK alike."""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Dataset, Exporter, hookimpl

from .exporter import write_nifti
from .reader import list_subjects, recognises

__all__ = ["write_nifti"]


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer the NIfTI reader."""
    yield Dataset(
        name="nifti",
        summary="NIfTI, MGH, NRRD, MetaImage, MINC, Analyze; pairs by folder, suffix or TSV",
        open=list_subjects,
        recognises=recognises,
        generic=True,
    )


@hookimpl
def oasis_gan_exporters() -> Iterator[Exporter]:
    """Offer two NIfTI exporters, one of compressed and one of uncompressed files."""
    yield Exporter(
        name="nifti",
        summary="NIfTI-1, gzipped, on the source's own grid",
        suffix=".nii.gz",
        write=write_nifti,
    )
    yield Exporter(
        name="nifti-uncompressed",
        summary="NIfTI-1, not compressed, for tools that map files",
        suffix=".nii",
        write=write_nifti,
    )
