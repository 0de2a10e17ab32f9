"""OASIS plugin: reads every layout in which OASIS reaches a disk; writes PNG slices in the OASIS naming."""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Dataset, Exporter, hookimpl

from . import neurite, oasis1, png_slices
from .writer import write_slices

__all__ = ["write_slices"]


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer a reader for each layout."""
    yield Dataset("oasis-png", "OASIS PNG slices (folder or zip), stacked", png_slices.subjects, png_slices.recognises)
    yield Dataset("oasis1", "OASIS-1 discs, sessions or images, Analyze 7.5", oasis1.subjects, oasis1.recognises)
    yield Dataset("neurite-oasis", "Neurite OASIS, volumes or slices", neurite.subjects, neurite.recognises)


@hookimpl
def oasis_gan_exporters() -> Iterator[Exporter]:
    """Offer the writer of PNG slices."""
    yield Exporter("oasis-png", "A zip of 8-bit PNG slices in the OASIS naming", ".zip", write_slices)
