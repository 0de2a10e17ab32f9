"""BIDS plugin: reads label maps and T1w volumes of any BIDS dataset, raw or derivative."""

from __future__ import annotations

from collections.abc import Iterator

from oasis_gan import Dataset, hookimpl

from .reader import list_subjects, recognises


@hookimpl
def oasis_gan_datasets() -> Iterator[Dataset]:
    """Offer the BIDS reader."""
    yield Dataset(
        name="bids",
        summary="BIDS datasets: dseg label maps, paired with their T1w",
        open=list_subjects,
        recognises=recognises,
        by_participant=True,
    )
