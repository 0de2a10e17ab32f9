"""Measure what segmenters reach on real heads: `oasis-gan evaluate` shows it without a real scan.

    python tests/benchmarks/ceiling.py DATA [HEAD...]

DATA holds a folder for each head, with ``t1.nii.gz`` and a map of its tissues, ``seg.nii.gz``. Each
T1w is segmented with each segmenter and compared with the map. The means go to
oasis_gan/evaluation/ceiling.json; the table for docs/evaluation.md is printed.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kit.places import ROOT

from oasis_gan import OASIS, read_nifti
from oasis_gan.cli.segmenting import load_segmenter
from oasis_gan.evaluation.cohort import estimate
from oasis_gan.evaluation.faithfulness import compare_label_maps
from oasis_gan.evaluation.label_maps import read_label_map
from oasis_gan.evaluation.measures import FAITHFULNESS_MEASURES, Scores, json_value
from oasis_gan.evaluation.segmenting import ModelSegmenter
from oasis_gan.plugin.datasets import Scan
from oasis_gan.plugin.registry import Registry

SEGMENTERS = ("t1w-to-structures", "t1w-to-tissues")
RESULT = ROOT / "oasis_gan" / "evaluation" / "ceiling.json"
Figures = Mapping[str, Scores]


def main() -> None:
    """Measure every segmenter on every head."""
    data = Path(sys.argv[1])
    names = sys.argv[2:] or sorted(path.parent.name for path in data.glob("*/seg.nii.gz"))
    registry = Registry.discover([])
    found = {}
    for name in SEGMENTERS:
        segmenter = load_segmenter(registry, name, ())
        heads = [measure_head(data / head, segmenter) for head in names]
        found[segmenter.name] = average(heads)
    document = {
        "heads": names,
        "command": " ".join(["python tests/benchmarks/ceiling.py DATA", *names]),
        "oasis_gan": version("oasis-gan"),
        "segmenters": found,
    }
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    print_table(found, len(names))


def measure_head(folder: Path, segmenter: ModelSegmenter) -> Figures:
    """Return how a segmentation of a head's T1w compares with the map of its tissues."""
    start = time.monotonic()
    image = Scan(folder / "t1.nii.gz", read_nifti, content="image").read()
    labels, _ = read_label_map(
        Scan(folder / "seg.nii.gz", read_nifti, OASIS, content="labels"), image
    )
    segmentation = segmenter.segment(image, labels.tissues, folder.name)
    compared = compare_label_maps(labels, segmentation).regions
    seconds = time.monotonic() - start
    print(f"{segmenter.name}, {folder.name}: {seconds:.0f} s", file=sys.stderr, flush=True)
    return compared


def average(heads: list[Figures]) -> dict[str, dict[str, Any]]:
    """Return by region and measure the mean over heads, the smallest and the largest value."""
    values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for head in heads:
        for region, scores in head.items():
            for key, value in scores.items():
                finite = json_value(value)
                if finite is not None:
                    values[region][key].append(finite)
    return {
        region: {key: summarise(found) for key, found in measures.items()}
        for region, measures in values.items()
    }


def summarise(values: list[float]) -> dict[str, float | int | None]:
    """Return the mean of values, and how far they spread."""
    mean = estimate(values).mean
    return {
        "heads": len(values),
        "mean": None if mean is None else round(mean, 4),
        "lowest": round(min(values), 4),
        "highest": round(max(values), 4),
    }


def print_table(found: Mapping[str, Mapping[str, Any]], heads: int) -> None:
    """Print the table for the docs."""
    print(f"{heads} heads, {platform.machine()}, oasis-gan {version('oasis-gan')}\n")
    titles = [measure.title for measure in FAITHFULNESS_MEASURES]
    print(f"| segmenter | tissue | {' | '.join(titles)} |")
    print("|---|---|" + "---|" * len(titles))
    for segmenter, regions in found.items():
        for region, measures in regions.items():
            cells = []
            for measure in FAITHFULNESS_MEASURES:
                figures = measures[measure.key]
                texts = [measure.format(figures[key]) for key in ("mean", "lowest", "highest")]
                cells.append(f"{texts[0]} ({texts[1]} to {texts[2]})")
            print(f"| {segmenter} | {region} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
