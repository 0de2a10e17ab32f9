"""The shipped model can average its answers for a head and for its mirror image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import oasis_gan_pix2pix
import pytest

from oasis_gan import FLIP, CleanVolume, Geometry, Volume

SHAPE = (24, 26, 22)


@pytest.fixture(scope="module")
def folder() -> Path:
    (kind,) = oasis_gan_pix2pix.oasis_gan_models()
    return next(iter(kind.shipped.values()))


@pytest.fixture(scope="module")
def source() -> CleanVolume:
    """Return a lopsided head: a ball of white matter to the left in grey matter."""
    place = np.indices(SHAPE).T
    left = np.linalg.norm(place - (8, 13, 11), axis=-1).T
    middle = np.linalg.norm(place - (12, 13, 11), axis=-1).T
    voxels = np.select([left < 4, middle < 10], [3, 2], 0).astype(np.int32)
    return CleanVolume(voxels, Geometry(SHAPE, np.eye(4)), content="labels")


def translate(folder: Path, source: CleanVolume, **options: object) -> Volume:
    model = oasis_gan_pix2pix.load(folder, **options)  # type: ignore[arg-type]  # as the tool does
    return model.translate({"labels": source}).volume


def test_the_option_is_off_and_then_changes_nothing(folder: Path, source: CleanVolume) -> None:
    option = oasis_gan_pix2pix.card(folder).option(FLIP)
    assert option is not None
    assert option.default is False
    alone = translate(folder, source, texture=0.0)
    off = translate(folder, source, texture=0.0, flip=False)
    assert np.array_equal(alone.voxels, off.voxels)


def test_the_result_is_half_way_between_both_answers(folder: Path, source: CleanVolume) -> None:
    """At the smooth end, where other noise and the histogram change next to nothing."""
    mirrored = CleanVolume(source.voxels[::-1], source.geometry, content="labels")
    once = translate(folder, source, texture=0.0).voxels
    other = translate(folder, mirrored, texture=0.0).voxels[::-1]
    both = translate(folder, source, texture=0.0, flip=True).voxels
    from_middle = np.abs(both - (once + other) / 2)
    assert from_middle.mean() < 0.05 * np.abs(once - other).mean()
