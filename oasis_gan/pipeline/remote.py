"""Work on a subject in another process, which gets everything as bytes."""

from __future__ import annotations

import pickle
import threading
from contextlib import chdir
from functools import lru_cache
from pathlib import Path

from .ledger import Outcome
from .work import Plan, Work

_ONE_AT_A_TIME = threading.Lock()


def pack_plan(plan: Plan) -> bytes:
    """Return a plan as bytes, with the folder in which relative paths start.

    Raises:
        OasisGanError: If the model or the exporter cannot be pickled.
    """
    return pickle.dumps((Path.cwd(), plan))


def pack_task(work: Work) -> bytes:
    """Return what is particular to the work on one subject as bytes.

    Raises:
        OasisGanError: If the reader of a scan cannot be pickled.
    """
    return pickle.dumps((work.subject, work.naming))


def work_on(plan: bytes, task: bytes) -> Outcome | None:
    """Do the work on one subject in this process, and return its outcome.

    The model is loaded once in a process, whose threads take turns.

    Args:
        plan: What `pack_plan` returned.
        task: What `pack_task` returned.

    Returns:
        The outcome, or None if another run is translating the subject.

    Raises:
        OasisGanError: If a plugin is missing here, or a plugin file has changed.
        OSError: If the folder that relative paths start from cannot be entered.
    """
    with _ONE_AT_A_TIME:
        folder, unpacked = _unpack_plan(plan)
        with chdir(folder):
            subject, naming = pickle.loads(task)  # noqa: S301 - made by this tool
            work = Work(0, subject, naming, unpacked)
            return _do(work)


def _do(work: Work) -> Outcome | None:
    try:
        work.read(wait=False)
        if work.postponed:
            return None
        work.translate(lambda fraction: None)
        return work.write()
    finally:
        work.let_go()


@lru_cache(maxsize=1)
def _unpack_plan(plan: bytes) -> tuple[Path, Plan]:
    folder, unpacked = pickle.loads(plan)  # noqa: S301 - made by this tool
    return folder, unpacked
