"""A child of the speed benchmark prepares work, and measures a round of it whenever it is told to.

    python tests/benchmarks/speed_worker.py [CORES]

A question is a line of JSON on standard input, the answer one on standard output. Asked to prepare,
it calls the work twice, the first time for what is done only once, and answers how long the second
call took: if the first one took very long, as where bfloat16 is emulated, that is the answer.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import nullcontext
from typing import Any

from oasis_gan_keras import onednn
from rounds import Prepared, Work

_LONG = 10.0  # seconds; what is done only once is next to nothing beside that


def prepared(work: Work) -> Prepared:
    """Return work made ready; only the libraries that it needs are imported."""
    if work.side.startswith("pytorch"):
        import speed_torch

        return speed_torch.prepared(work)
    with (
        onednn.prefer_onednn()
        if work.side.startswith("ours") and work.what == "training"
        else nullcontext()
    ):
        import speed_tensorflow

    return speed_tensorflow.prepared(work)


def answers(question: dict[str, Any], ready: dict[str, Prepared]) -> dict[str, object]:
    """Answer a question; what is prepared is kept in ``ready``."""
    if "measure" in question:
        return {"unit": ready[question["measure"]].round(question["seconds"])}
    name = question.pop("prepare")
    work = ready[name] = prepared(Work(**question))
    start = time.perf_counter()
    work.call()
    took = time.perf_counter() - start
    if took < _LONG:
        took = work.round(0) * work.units
    return {
        "precision": work.precision,
        "gflop": work.gflop,
        "call": took,
        "unit": took / work.units,
    }


def main() -> None:
    """Answer until nobody asks any more."""
    # What libraries print must not come between the answers.
    answers_stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if len(sys.argv) > 1:
        # Before a library counts the cores.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
    ready: dict[str, Prepared] = {}
    for line in sys.stdin:
        answers_stream.write(json.dumps(answers(json.loads(line), ready)) + "\n")
        answers_stream.flush()


if __name__ == "__main__":
    main()
