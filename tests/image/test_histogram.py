"""Histogram matching gives an output the distribution of a scan of its tissues, and keeps edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from oasis_gan import FREESURFER, OASIS, Histogram

MEANS = {1: 0.3, 2: 0.55, 3: 0.75}
SPREAD = 0.04


def scan(
    shares: dict[int, int], spread: float = SPREAD, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return intensities around the means of tissues with so many voxels, and their labels."""
    labels = np.repeat(np.array(list(shares), np.int32), list(shares.values()))
    noise = np.random.default_rng(seed).normal(0, spread, labels.shape)
    means = np.array([MEANS.get(int(label), 0.5) for label in labels])
    return np.clip(means + noise, 0, 1).astype(np.float32), labels


def real(strength: float = 1.0) -> Histogram:
    """Return the distribution of a scan."""
    return Histogram.from_voxels(*scan({1: 20_000, 2: 20_000, 3: 20_000}), OASIS, strength)


def overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the intersection of two histograms of 64 bins."""
    counts = [np.histogram(values, 64, (0, 1))[0] / values.size for values in (one, other)]
    return float(np.minimum(*counts).sum())


@pytest.mark.parametrize(
    "shares", [{1: 9000, 2: 9000, 3: 9000}, {1: 2000, 2: 15_000, 3: 8000}, {2: 9000, 3: 4000}]
)
def test_an_output_gets_the_distribution_of_a_scan_of_its_own_tissues(
    shares: dict[int, int],
) -> None:
    target, _ = scan(shares, seed=1)
    flat, labels = scan(shares, spread=0.005, seed=2)
    assert overlap(flat, target) < 0.5
    assert overlap(real().match(flat, labels, OASIS), target) > 0.95


def test_strength_ranges_from_no_change_to_the_full_distribution() -> None:
    flat, labels = scan({1: 5000, 2: 5000, 3: 5000}, spread=0.005, seed=3)
    none, half, full = (
        real().scale_strength(share).match(flat, labels, OASIS) for share in (0.0, 0.5, 1.0)
    )
    np.testing.assert_array_equal(none, flat)
    np.testing.assert_allclose(half, (flat + full) / 2, atol=1e-6)


@given(
    arrays.arrays(np.float32, 200, elements=st.floats(0, 1, width=32)),
    arrays.arrays(np.int32, 200, elements=st.integers(1, 3)),
    st.floats(0, 1),
)
def test_what_was_brighter_stays_brighter(
    values: NDArray[np.float32], labels: NDArray[np.int32], strength: float
) -> None:
    moved = real(strength).match(values, labels, OASIS)
    assert np.isfinite(moved).all()
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert (np.diff(moved[values.argsort()]) >= -1e-6).all()


def test_an_output_of_one_intensity_becomes_the_mean_of_the_distribution() -> None:
    labels = np.repeat(np.array([1, 2, 3], np.int32), 1000)
    moved = real().match(np.full(3000, 0.2, np.float32), labels, OASIS)
    assert np.ptp(moved) == 0
    assert moved[0] == pytest.approx(np.mean(list(MEANS.values())), abs=0.01)


def test_voxels_of_a_tissue_that_no_scan_had_are_left_as_they_are() -> None:
    values, labels = scan({2: 3000, 10: 500}, spread=0.01)
    of_cortex = Histogram({"ctx-lh": (0.4, 0.6)}, 1.0)
    assert "ctx-lh" not in {label.name for label in FREESURFER.labels}
    np.testing.assert_array_equal(of_cortex.match(values, labels, FREESURFER), values)
    moved = Histogram({"GM": (0.7, 0.8)}, 1.0).match(values, np.where(labels == 10, 1, 2), OASIS)
    np.testing.assert_array_equal(moved[labels == 10], values[labels == 10])
    assert moved[labels == 2].min() > 0.69


def test_of_several_scans_the_quantiles_are_averaged_whatever_their_size() -> None:
    dark, bright = (
        (np.full(n, value, np.float32), np.full(n, 2)) for n, value in ((10, 0.4), (1000, 0.6))
    )
    mean = Histogram.average([Histogram.from_voxels(*one, OASIS, 0.5) for one in (dark, bright)])
    assert set(mean.tissues) == {"GM"}
    np.testing.assert_allclose(mean.tissues["GM"], 0.5, atol=1e-6)
    assert mean.strength == 0.5


@pytest.mark.parametrize(
    ("tissues", "strength"),
    [
        ({}, 1.0),
        ({"GM": ()}, 1.0),
        ({"GM": (0.5, 0.4)}, 1.0),
        ({"GM": (0.5, float("nan"), 0.6)}, 1.0),
        ({"GM": (-0.1, 0.4)}, 1.0),
        ({"GM": (0.4, 1.1)}, 1.0),
        ({"GM": (0.4, 0.5)}, 1.1),
        ({"GM": (0.4, 0.5)}, float("nan")),
    ],
)
def test_an_invalid_distribution_is_refused(
    tissues: dict[str, tuple[float, ...]], strength: float
) -> None:
    with pytest.raises(ValueError, match="rising quantiles"):
        Histogram(tissues, strength)


def test_distributions_have_short_distinct_descriptions() -> None:
    assert real().identity() == real().identity()
    assert real().identity() != real().scale_strength(0.5).identity()
    assert real().identity()["sha256"] != Histogram({"GM": (0.4, 0.5)}, 1.0).identity()["sha256"]
