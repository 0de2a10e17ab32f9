"""Run `oasis-gan train` in this process, and write down how long its start and its steps took.

    python tests/benchmarks/timed_training.py FILE STEPS train ...

FILE gets the seconds before the first step, and then the milliseconds that a step takes after the
first STEPS: those on the clock, and those of all processors together.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from oasis_gan_keras.metrics import Metrics
from oasis_gan_keras.observer import Observer

from oasis_gan.cli.main import cli


def main(file: Path, skipped: int, words: list[str]) -> None:
    """Run a command, and time the moments at which its steps are recorded."""
    began = time.perf_counter()
    times: list[tuple[float, float]] = []
    observe = Observer.observe

    def observe_and_time(self: Observer, step: int, metrics: Metrics) -> bool:
        times.append((time.perf_counter(), time.process_time()))
        return observe(self, step, metrics)

    Observer.observe = observe_and_time  # type: ignore[method-assign]
    cli.main(words, standalone_mode=False)
    counted = np.array(times[skipped - 1 :])
    clock, processors = 1000 * (counted[-1] - counted[0]) / (len(counted) - 1)
    start = times[0][0] - began
    file.write_text(f"{start:.2f} {clock:.2f} {processors:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
