"""Check the card of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from ..image.encoding import Encoding, FittedEncoding
from ..plugin.models import ModelCard
from ..plugin.options import Option
from .checks import assert_listed


def assert_card(card: object) -> None:
    """Check the names, the sources, the target and the options of a model's card."""
    assert isinstance(card, ModelCard), f"the card is a {type(card).__name__}: make it a ModelCard"
    assert_listed(card.name, f"version {card.version}")
    assert re.fullmatch(r"[A-Za-z0-9]+", card.output), (
        f"output {card.output!r}: use letters and digits, as in T1w"
    )
    _assert_sources(card)
    found = type(card.target).__name__
    remedy = "make it a LabelSet, a Window, or an encoding of your own that can decode"
    assert isinstance(card.target, FittedEncoding), f"the card's target is a {found}: {remedy}"
    assert re.fullmatch(r"([0-9a-f]{64})?", card.weights_sha256), (
        "weights_sha256: 64 hex digits, or empty if none"
    )
    names = [option.name for option in card.options if isinstance(option, Option)]
    assert len(names) == len(card.options), "`options` holds something else than Option objects"
    assert len(set(names)) == len(names), f"the options {', '.join(names)} name one twice"
    for option in card.options:
        assert_listed(option.name, option.help)


def skip_if_unusable(card: ModelCard) -> None:
    """Skip a check that needs a valid card; another check reports what is wrong with it."""
    if not _is_usable(card):
        pytest.skip("the card is broken: fix it first")


def _is_usable(card: object) -> bool:
    """Tell whether sources for a model can be made from its card."""
    if not isinstance(card, ModelCard):
        return False
    if not isinstance(card.sources, Mapping) or not card.sources:
        return False
    has_encodings = all(isinstance(encoding, Encoding) for encoding in card.sources.values())
    return has_encodings and isinstance(card.target, FittedEncoding)


def _assert_sources(card: ModelCard) -> None:
    """Check that the sources of a card are encodings by name."""
    found = type(card.sources).__name__
    remedy = "make them a dictionary, an encoding by name"
    assert isinstance(card.sources, Mapping), f"the card's sources are a {found}: {remedy}"
    assert card.sources, "the card has no source: name what goes in"
    remedy = "make it a LabelSet, a Window, Percentiles, or an encoding of your own"
    for name, encoding in card.sources.items():
        assert_listed(name, f"source {name}")
        found = type(encoding).__name__
        assert isinstance(encoding, Encoding), f"the card's source {name} is a {found}: {remedy}"
