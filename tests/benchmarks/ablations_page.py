"""The ablations as a page: tables between two markers, so that what is written by hand around them is kept."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from experiments import GROUPS, REAL, Scores
from scoring import Score

from oasis_gan import write_atomically

BEGIN = "<!-- made by tests/benchmarks/ablations.py: from here"
END = "<!-- to here; what is written outside is kept -->"
_PACKAGES = ("oasis-gan", "tensorflow", "keras", "numpy", "simpleitk")
_HEAD = (
    "|  | paper: per-pixel, per-class, IoU | per-pixel | per-class | IoU | MAE | PSNR | SSIM | histogram | gradient |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
_NEW = """# The paper's ablations, on brains

{tables}

## What does not come out as in the paper
"""
_EXPLAINED = """\
The paper's ([arXiv 1611.07004](https://arxiv.org/abs/1611.07004)) figures are those of street scenes: rows can be
compared within a column, not across. Per-pixel, per-class and IoU: the output is segmented anew, by thresholds and
three Gaussians that see nothing but greys, and compared with the labels it was made from. MAE, PSNR (dB), SSIM,
histogram intersection and in-plane gradient (of the output, by that of the scan) compare it with the scan, inside the
brain, contrasts matched. All are means over the held-out heads. The paper's second table is of batch 10.

Painting each tissue with its mean is segmented perfectly, because the segmenter looks for three greys and paint has
just those: this score alone does not tell a picture from a map, and a real scan does not reach 1."""
_UNMATCHED = "\\* in some head tissues do not brighten from CSF to GM to WM; it is compared as the model scaled it."


def page(tables: str, before: str | None) -> str:
    """Return the page with new tables in it: a new one, or ``before`` with all it says outside the markers."""
    made = f"{BEGIN} -->\n\n{tables}\n\n{END}"
    if before is None:
        return _NEW.format(tables=made)
    start, found, rest = before.partition(BEGIN)
    _, ended, behind = rest.partition(END)
    if not (found and ended):
        return before.rstrip("\n") + f"\n\n{made}\n"
    return start + made + behind


def write_page(path: Path, tables: str) -> None:
    """Put tables into a page, or begin one."""
    before = path.read_text("utf-8") if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page(tables, before).encode())


def tables(scores: Mapping[str, Score], facts: Sequence[str], command: str) -> str:
    """Return the paper's three tables and one beyond it, of the rows there are.

    Args:
        scores: Of each experiment, of ``real`` and of ``painted``.
        facts: On what the rows share: seed, budget, machine.
        command: That made them.
    """
    known = [("Real T1", scores["real"], REAL), ("Each tissue painted with its mean", scores["painted"], None)]
    parts = [
        "\n".join(f"- {fact}" for fact in facts),
        f"```sh\n{command}\n```",
        _EXPLAINED,
        _table("References", known),
    ]
    for group in GROUPS:
        there = [(title, scores[name], paper) for title, name, paper in group.rows if name in scores]
        if there:
            parts.append(_table(group.title, there))
    if any(score.matched < 1 for score in scores.values()):
        parts.append(_UNMATCHED)
    return "\n\n".join(parts)


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name and how many threads of it there are; nothing that says whose it is."""
    lines = cpuinfo.read_text("utf-8", errors="replace").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(names, platform.machine())}, {len(os.sched_getaffinity(0))} threads"


def versions() -> str:
    """Return what the figures depend on."""
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in _PACKAGES)])


def _table(title: str, rows: Sequence[tuple[str, Score, Scores | None]]) -> str:
    return "\n".join([f"## {title}", "", *_HEAD, *(_row(*row) for row in rows)])


def _row(title: str, of: Score, paper: Scores | None) -> str:
    theirs = ", ".join(f"{figure:.2f}" for figure in paper) if paper else ""
    ours = [f"{figure:.3f}" for figure in (of.per_pixel, of.per_class, of.iou)]
    beside = [f"{of.mae:.4f}", f"{of.psnr:.2f}", f"{of.ssim:.3f}", f"{of.histogram:.2f}", f"{of.gradient:.2f}"]
    return "| " + " | ".join([title + ("" if of.matched == 1 else " \\*"), theirs, *ours, *beside]) + " |"
