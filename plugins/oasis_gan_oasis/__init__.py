"""OASIS plugin: reads every layout in which OASIS is distributed, and writes PNG slices."""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Dataset, Exporter, hookimpl

from . import neurite, oasis1, png_slices
from .exporter import write_slices

__all__ = ["write_slices"]


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer a reader for each layout."""
    yield Dataset(
        name="oasis-png",
        summary="OASIS PNG slices (folder or zip), stacked",
        open=png_slices.list_subjects,
        recognises=png_slices.recognises,
    )
    yield Dataset(
        name="oasis1",
        summary="OASIS-1 discs, sessions or images, Analyze 7.5",
        open=oasis1.list_subjects,
        recognises=oasis1.recognises,
    )
    yield Dataset(
        name="neurite-oasis",
        summary="Neurite OASIS, volumes or slices",
        open=neurite.list_subjects,
        recognises=neurite.recognises,
    )


@hookimpl
def oasis_gan_exporters() -> Iterator[Exporter]:
    """Offer the exporter of PNG slices."""
    yield Exporter(
        name="oasis-png",
        summary="A zip of 8-bit PNG slices in the OASIS naming",
        suffix=".zip",
        write=write_slices,
    )
