"""Choose what to compute in: the precision, the packages and the number of threads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from oasis_gan import Computation

from .backend import keras, tf

Precision = Literal["float32", "bfloat16", "float16"]
RequestedPrecision = Literal["auto", "float32", "bfloat16", "float16"]

DEFAULT_PRECISION: RequestedPrecision = "float32"
"""The precision of translating unless another is requested.

In float32, outputs of different machines differ only by rounding.
"""

# The policies in which Keras computes in a precision and has variables in float32.
_POLICIES: Mapping[Precision, str] = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}
_CPU_BFLOAT16 = {"amx_bf16", "avx512_bf16"}


@dataclass(frozen=True)
class ChosenPrecision:
    """The precision that is used.

    Args:
        precision: The precision.
        note: A line for the user if the requested or the fastest precision fails on this machine;
            otherwise empty.
    """

    precision: Precision
    note: str = ""


def choose_precision(requested: RequestedPrecision) -> ChosenPrecision:
    """Return the requested precision, or float32 if that does not work on this machine.

    ``auto`` requests the fastest precision.
    """
    precision = find_fast_precision() if requested == "auto" else requested
    failure = find_convolution_failure(precision)
    if not failure:
        return ChosenPrecision(precision)
    note = (
        "precision: computing in float32, "
        f"because a convolution in {precision} fails on this machine ({failure})"
    )
    return ChosenPrecision("float32", note)


def find_fast_precision() -> Precision:
    """Return the precision in which the hardware is fastest.

    GPUs of compute capability 8 and above have bfloat16, those of 7 have float16 (untested).
    Processors have bfloat16 with AMX or AVX-512 BF16, and only oneDNN uses these instructions.
    Everything else computes in float32.
    """
    lowest = min(_list_gpu_capabilities(), default=None)
    if lowest is not None:
        return _find_gpu_precision(lowest)
    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "")
    is_onednn_off = onednn.lower() in {"0", "false"}
    if _CPU_BFLOAT16 & read_processor_flags() and not is_onednn_off:
        return "bfloat16"
    return "float32"


@cache
def find_convolution_failure(precision: Precision) -> str:
    """Try a small convolution and its gradient; return what is wrong, or an empty text.

    The instructions that a processor lists are not enough to go by: ``ONEDNN_MAX_CPU_ISA`` and
    virtual machines can turn some of them off.
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
        product = float(tf.cast(answer[0, 0, 0, 0], tf.float32))
        positions = float(tf.cast(gradient[0, 0, 0, 0], tf.float32))
    # TensorFlow's error for a missing primitive depends on its version.
    except Exception as error:  # noqa: BLE001
        return _find_cause(error)
    # Every precision holds these whole numbers exactly: 4 x 4 x 4 products, and 3 x 3 positions.
    if (product, positions) == (64, 9):
        return ""
    return f"expected 64 and 9, found {product:g} and {positions:g}"


@contextmanager
def compute_in(precision: Precision) -> Iterator[None]:
    """Build networks that compute in a precision, with variables in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def read_engine_versions() -> dict[str, str]:
    """Return the versions of the packages that compute."""
    return {name: version(name) for name in ("tensorflow", "keras")}


def describe_computation(chosen: ChosenPrecision) -> Computation:
    """Describe how this machine computes in a precision."""
    return Computation(
        precision=chosen.precision,
        software=read_engine_versions(),
        threads=count_threads(),
        note=chosen.note,
    )


def count_threads() -> int:
    """Return the number of threads on which TensorFlow computes an operation."""
    configured = tf.config.threading.get_intra_op_parallelism_threads()
    if configured:
        return int(configured)
    requested = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if requested.isdecimal() and int(requested):
        return int(requested)
    # TensorFlow counts the processors that this process may run on.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Return the instruction sets that Linux lists for the processor; empty on other systems."""
    try:
        lines = cpuinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    for line in lines:
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()


def _list_gpu_capabilities() -> Iterator[tuple[int, int]]:
    """Yield the compute capability of each GPU."""
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        yield details.get("compute_capability", (0, 0))


def _find_gpu_precision(capability: tuple[int, int]) -> Precision:
    """Return the fastest precision of GPUs of a compute capability."""
    if capability >= (8, 0):
        return "bfloat16"
    if capability >= (7, 0):
        return "float16"
    return "float32"


def _find_cause(error: Exception) -> str:
    """Return the cause that TensorFlow names in a message, without the operation before it."""
    line = str(error).partition("\n")[0]
    cause = line.rpartition("message: ")[2].partition(". ")[0]
    return cause or type(error).__name__
