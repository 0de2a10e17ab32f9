"""DICOM plugin: finds series in folders, and multi-frame files."""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Dataset, hookimpl

from .reader import list_subjects, recognises


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer the DICOM reader."""
    yield Dataset(
        name="dicom",
        summary="DICOM: a folder for each series, or one file of a series; pairs by folder",
        open=list_subjects,
        recognises=recognises,
        generic=True,
    )
