"""NIfTI plugin: reads NIfTI, MGH and Analyze; writes volumes that nibabel and ITK read alike."""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Dataset, Exporter, hookimpl

from .reader import recognises, subjects
from .writer import write_nifti

__all__ = ["write_nifti"]


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer the NIfTI reader."""
    summary = "NIfTI, MGH and Analyze files, folders of them, pairs by folder, suffix or TSV"
    yield Dataset("nifti", summary, subjects, recognises, generic=True)


@hookimpl
def oasis_gan_exporters() -> Iterator[Exporter]:
    """Offer the NIfTI writer under two names: it compresses where the file's name says so."""
    yield Exporter("nifti", "NIfTI-1, gzipped, on the source's own grid", ".nii.gz", write_nifti)
    yield Exporter("nifti-uncompressed", "NIfTI-1, not compressed, for tools that map files", ".nii", write_nifti)
