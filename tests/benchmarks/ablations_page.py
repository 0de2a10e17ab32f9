"""The ablations as a page: the paper's tables, and what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments import GROUPS, REAL, Scores
from page import Page, wrap_paragraphs
from scoring import Score

PACKAGES = ("oasis-gan", "tensorflow", "keras", "numpy", "simpleitk")
_COLUMNS = (
    "",
    "paper: per-pixel, per-class, IoU",
    "per-pixel",
    "per-class",
    "IoU",
    "MAE",
    "PSNR",
    "SSIM",
    "histogram",
    "gradient",
)
_HEAD = (f"| {' | '.join(_COLUMNS)} |", "|" + "---|" * len(_COLUMNS))
PAGE = Page(
    "tests/benchmarks/ablations.py",
    """# Ablations of the Pix2Pix paper, on brains

This page repeats the Pix2Pix paper's ablations on brains, with the same budget for every row.

{tables}

## Differences from the paper
""",
)
_EXPLAINED = wrap_paragraphs("""\
The paper's figures ([arXiv 1611.07004](https://arxiv.org/abs/1611.07004)) are for street scenes, so
compare rows within a column, not figures across columns. For per-pixel, per-class and IoU, the
output is segmented again and compared with the labels that it was made from. The segmenter sees
only intensities: it uses thresholds and three Gaussians. MAE, PSNR (dB), SSIM, histogram
intersection and in-plane gradient (that of the output divided by that of the scan) compare the
output with the scan, inside the brain, with matched contrasts. All figures are means over the
held-out heads. The paper's second table uses batch size 10.

An image in which each tissue is painted with its mean is segmented perfectly, because it contains
exactly the three intensities that the segmenter looks for. So this score alone cannot distinguish
an image from a label map, and a real scan does not reach 1.""")
_UNMATCHED = (
    "\\* in some heads, tissues do not become brighter from CSF to GM to WM; "
    "these are compared as the model scaled them."
)


def tables(scores: Mapping[str, Score], facts: Sequence[str], command: str) -> str:
    """Return the paper's three tables and one beyond it, of the rows there are.

    Args:
        scores: Of each experiment, of ``real`` and of ``painted``.
        facts: On what the rows share: seed, budget, machine.
        command: That made them.
    """
    known = [
        ("Real T1", scores["real"], REAL),
        ("Each tissue painted with its mean", scores["painted"], None),
    ]
    parts = [
        "\n".join(f"- {fact}" for fact in facts),
        f"```sh\n{command}\n```",
        _EXPLAINED,
        _table("References", known),
    ]
    for group in GROUPS:
        shown = [
            (title, scores[name], paper) for title, name, paper in group.rows if name in scores
        ]
        if shown:
            parts.append(_table(group.title, shown))
    if any(score.matched < 1 for score in scores.values()):
        parts.append(_UNMATCHED)
    return "\n\n".join(parts)


def _table(title: str, rows: Sequence[tuple[str, Score, Scores | None]]) -> str:
    return "\n".join([f"## {title}", "", *_HEAD, *(_row(*row) for row in rows)])


def _row(title: str, of: Score, paper: Scores | None) -> str:
    theirs = ", ".join(f"{figure:.2f}" for figure in paper) if paper else ""
    ours = [f"{figure:.3f}" for figure in (of.per_pixel, of.per_class, of.iou)]
    beside = [
        f"{of.mae:.4f}",
        f"{of.psnr:.2f}",
        f"{of.ssim:.3f}",
        f"{of.histogram:.2f}",
        f"{of.gradient:.2f}",
    ]
    return (
        "| "
        + " | ".join([title + ("" if of.matched == 1 else " \\*"), theirs, *ours, *beside])
        + " |"
    )
