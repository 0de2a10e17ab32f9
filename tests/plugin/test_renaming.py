"""A recipe may have the names that settings had in an earlier version."""

from __future__ import annotations

from typing import Any

import pytest

from oasis_gan import rename_settings

RENAMED = {
    "keep": "keep_checkpoints",
    "network.leak": "network.slope",
    "smooth.steps": "first.steps",
    "smooth.rate": "first.learning_rate",
}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"keep": 3, "size": 16}, {"keep_checkpoints": 3, "size": 16}),
        ({"network": {"leak": 0.1, "norm": "x"}}, {"network": {"slope": 0.1, "norm": "x"}}),
        ({"smooth": {"steps": 5, "rate": 1}}, {"first": {"steps": 5, "learning_rate": 1}}),
        ({"smooth": {"steps": 5}, "first": {"x": 1}}, {"first": {"steps": 5, "x": 1}}),
        ({"smooth": {}}, {}),
        ({"network": {}}, {"network": {}}),
    ],
)
def test_settings_move_to_their_present_names(
    settings: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert rename_settings(settings, RENAMED) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"keep": 3, "keep_checkpoints": 4},
        {"network": {"leak": 0.1, "slope": 0.2}},
        {"smooth": {"steps": 5, "unknown": 1}, "first": {"steps": 6}},
        {"network": 3, "smooth": [4]},
        {"first": 3, "smooth": {"steps": 5}},
    ],
)
def test_what_has_both_names_or_is_no_table_stays_for_the_kind_of_model_to_refuse(
    settings: dict[str, Any],
) -> None:
    assert rename_settings(settings, RENAMED) == settings


def test_the_given_settings_are_not_changed() -> None:
    settings = {"keep": 3, "network": {"leak": 0.1}, "smooth": {"steps": 5}}
    rename_settings(settings, RENAMED)
    assert settings == {"keep": 3, "network": {"leak": 0.1}, "smooth": {"steps": 5}}
