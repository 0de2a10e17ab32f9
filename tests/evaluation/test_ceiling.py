"""Without a real scan, the figures of an output are shown with those of other real heads."""

from __future__ import annotations

import json

from oasis_gan.evaluation.ceiling import describe_ceiling, find_typical_scores, read_ceiling
from oasis_gan.evaluation.records import make_json_document
from oasis_gan.plugin.registry import Registry


def test_the_shipped_segmenters_have_figures_of_real_heads() -> None:
    registry = Registry.discover([])
    for name in ("t1w-to-structures", "t1w-to-tissues"):
        model = registry.trained.offers[name]
        version = model.kind.card(model.folder).version
        scores = find_typical_scores(f"{name} {version}")
        assert {"total", "CSF", "GM", "WM"} <= set(scores)
        assert 0.5 < float(scores["GM"]["dice"]) <= 1


def test_a_segmenter_that_nobody_measured_has_none() -> None:
    assert find_typical_scores("another 1.0") == {}


def test_json_says_where_the_figures_come_from() -> None:
    settings = make_json_document([], None)["settings"]
    assert settings["typical_ceiling"] == describe_ceiling()
    assert json.loads(json.dumps(describe_ceiling()))["command"].startswith("python tests/")
    assert len(read_ceiling().heads) >= 8
