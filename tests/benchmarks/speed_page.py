"""The measured speeds as a page: a table for each question, and what the columns mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from page import Page, wrap_paragraphs
from rounds import Measured

Results = Mapping[str, Mapping[str, Measured]]
"""What was measured, by question and by contestant."""

PACKAGES = ("oasis-gan", "tensorflow", "keras", "numpy")
PAGE = Page(
    "tests/benchmarks/speed.py",
    """# Speed

This page shows how fast oasis-gan is, compared with PyTorch and TensorFlow's tutorial.

{tables}

## Interpretation
""",
)
OURS = "ours"
WHOLE = "ours-whole"
AUTO = "ours-auto"
FLOAT32 = "ours-float32"
TITLES = {
    "tutorial": "TensorFlow's tutorial, as written",
    "pytorch-float32": "PyTorch, eager",
    "pytorch-channels-last": "PyTorch, eager, channels-last",
    "pytorch-bfloat16": "PyTorch, eager, channels-last, bfloat16",
    OURS: "oasis-gan",
    WHOLE: "oasis-gan, the whole of every slice",
    AUTO: "oasis-gan, `--precision auto`",
    FLOAT32: "oasis-gan, held to float32",
}
_EXPLAINED = wrap_paragraphs("""\
All networks have the same convolutions, 3 input channels, 3 output channels and random weights. All
implementations are measured in one run. Each one has its own process, and they take turns round by
round. The tables give the median of the rounds, and the fastest and slowest round. *Times* is the
median of a row divided by that of oasis-gan: above 1, oasis-gan is faster. GPUs are untested,
because none was available.""")
_INFERENCE = wrap_paragraphs("""\
The input is all axial slices of the example that are not empty, at 1 mm. The tutorial calls the
Keras model eagerly on one slice at a time, with `training=True`. PyTorch translates batches in
`eval()` and `inference_mode()`. oasis-gan loads a model folder and translates batches as
`oasis-gan run` does, from NumPy arrays to NumPy arrays. It skips pixels outside the mask, except in
the row "the whole of every slice". Norms use moving statistics in PyTorch and oasis-gan, and the
statistics of each slice in the tutorial.""")
_TRAINING = wrap_paragraphs("""\
The tutorial's step is a `tf.function` with two gradient tapes, for one image. PyTorch and oasis-gan
learn from a batch: one forward pass of the generator serves both losses, the discriminator's loss
is halved, and the optimizer is Adam (the fused one in PyTorch). oasis-gan runs the update of
`oasis-gan train`, including its monitoring.""")
_LIMIT = wrap_paragraphs("""\
A network cannot be faster than its convolutions at the speed of a large matrix product, unless it
needs fewer multiplications. A multiplication and an addition count as two operations. Training on
an image takes 3 passes of the generator and 7 of the discriminator. The limit is computed from the
fastest product.""")
_PROCESSES = wrap_paragraphs("""\
Whole processes are timed from start to end, with their files in the system's cache. Memory is the
peak resident memory of all rounds. `oasis-gan run` computes in float32.""")
_SIZES = wrap_paragraphs("""\
These tables show oasis-gan alone. Inference is in float32. Volumes are translated with the default
model, in one `oasis-gan run`.""")
_ONCE = "\\* measured once: a single call took longer than {patience:g} s."


def tables(
    results: Results, facts: Sequence[str], command: str, patience: float, picture: str
) -> str:
    """Return all that was measured.

    Args:
        results: By question: ``inference``, ``training``, ``product``, ``process``, ``batch``,
            ``width``, ``volumes`` and ``cores``, as far as they were asked.
        facts: On what the rows share: machine, software, seed.
        command: That made them.
        patience: Seconds; a contestant whose call takes longer is measured once.
        picture: Name of the plot, beside the page.
    """
    parts = ["\n".join(f"- {fact}" for fact in facts), f"```sh\n{command}\n```", _EXPLAINED]
    for question, title, explained, unit in (
        ("inference", "Inference", _INFERENCE, "ms a slice"),
        ("training", "Training", _TRAINING, "ms an image"),
    ):
        if measured := results.get(question):
            parts += [f"## {title}", explained, _sides(measured, unit)]
    if "product" in results:
        parts += ["## The machine's own limit", _LIMIT, _products(results["product"])]
        parts += [table] if (table := _limits(results)) else []
    if "process" in results:
        parts += ["## A whole volume", _PROCESSES, _processes(results["process"])]
    if "batch" in results:
        parts += [
            "## Cost against size",
            _SIZES,
            *_sizes(results),
            f"![The same figures as curves]({picture})",
        ]
    if any(of.once for measured in results.values() for of in measured.values()):
        parts.append(_ONCE.format(patience=patience))
    return "\n\n".join(parts)


def _sides(measured: Mapping[str, Measured], unit: str) -> str:
    rows = []
    for name, of in measured.items():
        times = f"{of.median / measured[OURS].median:.2f}" if OURS in measured else ""
        rows.append((TITLES[name], of.precision, *_spread(of, 1000, ".1f"), times))
    return _table(("", "precision", unit, "fastest to slowest", "times"), rows)


def _products(measured: Mapping[str, Measured]) -> str:
    rows = []
    for name, of in measured.items():
        median, low, high = (f"{1 / seconds:.3g}" for seconds in (of.median, of.high, of.low))
        rows.append(
            (name, f"{median} \\*" if of.once else median, "" if of.once else f"{low} to {high}")
        )
    return _table(("product of two matrices", "GFLOP/s", "slowest to fastest"), rows)


def _limits(results: Results) -> str:
    """Return how near to the limit ours comes."""
    fastest = min(of.median for of in results["product"].values())
    rows = []
    for question, what in (("inference", "a slice, inference"), ("training", "an image, training")):
        if of := results.get(question, {}).get(OURS):
            limit = of.gflop * fastest
            figures = (
                f"{of.gflop:.3g}",
                f"{limit * 1000:.1f}",
                f"{of.median * 1000:.1f}",
                f"{limit / of.median:.0%}",
            )
            rows.append((what, *figures))
    return (
        _table(("", "GFLOP", "limit, ms", "oasis-gan, ms", "limit / oasis-gan"), rows)
        if rows
        else ""
    )


def _processes(measured: Mapping[str, Measured]) -> str:
    rows = (
        (name, *_spread(of, 1, ".2f"), f"{of.peak:.0f}" if of.peak else "")
        for name, of in measured.items()
    )
    return _table(("", "s", "fastest to slowest", "memory, MB"), rows)


def _sizes(results: Results) -> Iterator[str]:
    """Yield the table of each size, with what explains it beside: work, speed-up, memory."""
    for question, heading in (("batch", "slices at once"), ("width", "filters")):
        rows = [
            (name, *_spread(of, 1000, ".1f"), f"{of.gflop:.3g}")
            for name, of in results[question].items()
        ]
        yield _table((heading, "ms a slice", "fastest to slowest", "GFLOP a whole slice"), rows)
    cores = results["cores"]
    one = next(iter(cores.values())).median
    rows = [
        (name, *_spread(of, 1000, ".1f"), f"{one / of.median:.2f}") for name, of in cores.items()
    ]
    yield _table(("cores", "ms a slice", "fastest to slowest", "times as fast as one"), rows)
    volumes = (
        (name, *_spread(of, 1, ".2f"), f"{of.median / int(name):.2f}", f"{of.peak:.0f}")
        for name, of in results["volumes"].items()
    )
    yield _table(("volumes", "s", "fastest to slowest", "s a volume", "memory, MB"), volumes)


def _spread(of: Measured, scale: float, form: str) -> tuple[str, str]:
    """Return the median, and the fastest and the slowest round."""
    median, low, high = (format(seconds * scale, form) for seconds in (of.median, of.low, of.high))
    return (f"{median} \\*", "") if of.once else (median, f"{low} to {high}")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
