"""What the machine computes in: in which precision, with which engines, on how many threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from .backend import keras, tf

Precision = Literal["float32", "bfloat16", "float16"]
RequestedPrecision = Literal["auto", "float32", "bfloat16", "float16"]

DEFAULT_PRECISION: RequestedPrecision = "float32"
"""The precision of a translator unless one is requested: on every machine outputs are the same but for rounding."""

_CPU_BFLOAT16 = {"amx_bf16", "avx512_bf16"}


@dataclass(frozen=True)
class ChosenPrecision:
    """The precision to compute in.

    Args:
        precision: Which one.
        note: A line for the user if another one was requested, or would be faster, but fails here; empty otherwise.
    """

    precision: Precision
    note: str = ""


def choose_precision(requested: RequestedPrecision) -> ChosenPrecision:
    """Return the precision that is requested, for ``auto`` the fast one, or float32 if that does not work here."""
    precision = find_fast_precision() if requested == "auto" else requested
    failure = find_convolution_failure(precision)
    if not failure:
        return ChosenPrecision(precision)
    note = f"precision: computing in float32, because a convolution in {precision} fails on this machine ({failure})"
    return ChosenPrecision("float32", note)


def find_fast_precision() -> Precision:
    """Return the precision that the hardware is made for.

    GPUs of compute capability 8 and above have bfloat16, those of 7 float16 (untested). Processors have bfloat16 with
    AMX or AVX-512 BF16, and only oneDNN uses these instructions. Everything else computes in float32.
    """
    capabilities = [
        tf.config.experimental.get_device_details(device).get("compute_capability", (0, 0))
        for device in tf.config.list_physical_devices("GPU")
    ]
    if capabilities:
        oldest = min(capabilities)
        return "bfloat16" if oldest >= (8, 0) else "float16" if oldest >= (7, 0) else "float32"
    without_onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower() in {"0", "false"}
    return (
        "bfloat16" if _CPU_BFLOAT16 & read_processor_flags() and not without_onednn else "float32"
    )


@cache
def find_convolution_failure(precision: Precision) -> str:
    """Try a small convolution and its gradients; return what is wrong with them, or an empty text.

    What the processor lists is not enough: ``ONEDNN_MAX_CPU_ISA`` and virtual machines can take instructions away.
    """
    if precision == "float32":
        return ""
    pixels = tf.ones((1, 8, 8, 4), precision)
    kernel = tf.ones((4, 4, 4, 8), precision)
    try:
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            answer = tf.nn.conv2d(pixels, kernel, 2, "VALID")
        gradient = tape.gradient(answer, kernel)
        sums = (
            float(tf.cast(answer[0, 0, 0, 0], tf.float32)),
            float(tf.cast(gradient[0, 0, 0, 0], tf.float32)),
        )
    # Which of its errors TensorFlow raises for a missing primitive depends on its version.
    except Exception as error:  # noqa: BLE001
        return _cause(error)
    # All of them small whole numbers, which every precision holds exactly: 4 x 4 x 4 products, and 3 x 3 positions.
    return "" if sums == (64, 9) else f"expected 64 and 9, found {sums[0]:g} and {sums[1]:g}"


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Build networks that compute in ``precision``, their variables staying float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def engine_versions() -> dict[str, str]:
    """Return the versions of the packages that compute."""
    return {name: version(name) for name in ("tensorflow", "keras")}


def thread_count() -> int:
    """Return on how many threads TensorFlow computes an operation."""
    configured = tf.config.threading.get_intra_op_parallelism_threads()
    if configured:
        return int(configured)
    named = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if named.isdecimal() and int(named):
        return int(named)
    # As TensorFlow counts: the processors that this process may run on.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Return the instruction sets that Linux lists for the processor; none elsewhere."""
    try:
        lines = cpuinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return next(
        (set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set()
    )


def _cause(error: Exception) -> str:
    """Return the part of an error that says what is missing; TensorFlow puts the name of the operation before it."""
    line = str(error).partition("\n")[0]
    said = line.rpartition("message: ")[2].partition(". ")[0]
    return said or type(error).__name__
