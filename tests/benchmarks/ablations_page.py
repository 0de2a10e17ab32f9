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
    """# The paper's ablations, on brains

{tables}

## What does not come out as in the paper
""",
)
_EXPLAINED = wrap_paragraphs("""\
The paper's ([arXiv 1611.07004](https://arxiv.org/abs/1611.07004)) figures are those of street
scenes: rows can be compared within a column, not across. Per-pixel, per-class and IoU: the output
is segmented anew, by thresholds and three Gaussians that see nothing but greys, and compared with
the labels it was made from. MAE, PSNR (dB), SSIM, histogram intersection and in-plane gradient (of
the output, by that of the scan) compare it with the scan, inside the brain, contrasts matched. All
are means over the held-out heads. The paper's second table is of batch 10.

Painting each tissue with its mean is segmented perfectly, because the segmenter looks for three
greys and paint has just those: this score alone does not tell a picture from a map, and a real scan
does not reach 1.""")
_UNMATCHED = (
    "\\* in some head tissues do not brighten from CSF to GM to WM; "
    "it is compared as the model scaled it."
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
        there = [
            (title, scores[name], paper) for title, name, paper in group.rows if name in scores
        ]
        if there:
            parts.append(_table(group.title, there))
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
