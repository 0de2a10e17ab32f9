"""Write text for the methods section of a paper, from what the sidecars say was really run."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..io.files import write_atomically
from .bids_records import OutputRecord, RunRecord

_HEAD = (
    "This text was written from the sidecars of the outputs. You may copy it into a methods "
    "section, and change it."
)
_CAUTION = (
    "Each output lies on the voxel grid of its source. Generated volumes are synthetic: what the "
    "source does not contain cannot appear in them, and they must not be used for diagnosis. The "
    "data are organised as a derivative of BIDS (Gorgolewski et al., 2016)."
)
_BIBTEX = """@software{{oasis_gan,
  title = {{oasis-gan}},
  author = {{{{The oasis-gan maintainers}}}},
  version = {{{version}}}
}}

@article{{gorgolewski_2016,
  title = {{The brain imaging data structure, a format for organizing and describing outputs of
    neuroimaging experiments}},
  author = {{Gorgolewski, Krzysztof J. and others}},
  journal = {{Scientific Data}},
  volume = {{3}},
  pages = {{160044}},
  year = {{2016}},
  doi = {{10.1038/sdata.2016.44}}
}}
"""


def write_citation(folder: Path, records: Sequence[OutputRecord]) -> None:
    """Write the files ``CITATION`` as Markdown, HTML and BibTeX into ``logs``.

    Args:
        folder: The derivative.
        records: Its outputs.

    Raises:
        OSError: If the file system fails.
    """
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    runs = Counter(map(describe_run, records))
    sentences = [f"{_count(number)} {text}" for text, number in runs.items()]
    paragraphs = [_HEAD, *sentences, _CAUTION]
    markdown = "\n\n".join(("# Methods", *paragraphs)) + "\n"
    write_atomically(logs / "CITATION.md", markdown.encode())
    write_atomically(logs / "CITATION.html", _format_html(paragraphs).encode())
    versions = sorted({record.run.tool.version for record in records})
    bibtex = _BIBTEX.format(version=", ".join(versions))
    write_atomically(logs / "CITATION.bib", bibtex.encode())


def describe_run(record: OutputRecord) -> str:
    """Return how an output was made, without its number, as the end of a sentence and more."""
    run = record.run
    digest = run.model.weights_sha256[:12]
    sentences = [
        f"made with {run.tool.name} {run.tool.version} and its model {run.model.name} "
        f"{run.model.version} (SHA-256 of the weights: {digest}...).",
        *_describe_options(run),
    ]
    return " ".join(sentences)


def _describe_options(run: RunRecord) -> Iterator[str]:
    """Yield sentences on precision, options, contrast and software, as far as they are known."""
    if run.precision:
        yield f"It computed in {run.precision}."
    options = [f"{name} = {json.dumps(value)}" for name, value in run.options.items()]
    if options:
        yield f"Its options were {', '.join(options)}."
    if run.like is not None:
        yield f"The contrast was taken from {run.like.file}."
    if run.computation is not None and run.computation.software:
        versions = map(" ".join, run.computation.software.items())
        yield f"The computing software was {', '.join(versions)}."


def _count(number: int) -> str:
    """Return the beginning of a sentence on volumes."""
    return "One volume was" if number == 1 else f"{number} volumes were"


def _format_html(paragraphs: Sequence[str]) -> str:
    """Return a page with these paragraphs as plain text."""
    body = "\n".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Methods</title>'
        f"</head>\n<body>\n<h1>Methods</h1>\n{body}\n</body>\n</html>\n"
    )
