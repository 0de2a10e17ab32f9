"""Run `oasis-gan train` in this process, and write down how long its start and its steps took.

    python tests/benchmarks/timed_training.py FILE STEPS train ...

FILE gets the seconds before the first step, and the milliseconds of a step after the first STEPS.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from oasis_gan_keras.metrics import Metrics
from oasis_gan_keras.observer import Observer

from oasis_gan.cli.main import cli


def main(file: Path, skipped: int, words: list[str]) -> None:
    """Run a command, and time the moments at which its steps are recorded."""
    began = time.perf_counter()
    times: list[float] = []
    observe = Observer.observe

    def observe_and_time(self: Observer, step: int, metrics: Metrics) -> bool:
        times.append(time.perf_counter())
        return observe(self, step, metrics)

    Observer.observe = observe_and_time  # type: ignore[method-assign]
    cli.main(words, standalone_mode=False)
    counted = times[skipped - 1 :]
    seconds = (counted[-1] - counted[0]) / (len(counted) - 1)
    file.write_text(f"{times[0] - began:.2f} {1000 * seconds:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
