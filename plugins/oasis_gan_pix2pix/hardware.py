"""What the machine is fast in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from .backend import keras, tf

Precision = Literal["float32", "bfloat16", "float16"]
_CPU_BFLOAT16 = {"amx_bf16", "avx512_bf16"}


def chosen_precision(wanted: Literal["auto", "float32", "bfloat16", "float16"]) -> Precision:
    """Return the precision to compute in: what is asked for, or what the hardware is made for.

    GPUs of compute capability 8 and above have bfloat16, those of 7 float16 (untested); processors have bfloat16
    with AMX or AVX-512 BF16. Everything else computes in float32.
    """
    if wanted != "auto":
        return wanted
    capabilities = [
        tf.config.experimental.get_device_details(device).get("compute_capability", (0, 0))
        for device in tf.config.list_physical_devices("GPU")
    ]
    if capabilities:
        oldest = min(capabilities)
        return "bfloat16" if oldest >= (8, 0) else "float16" if oldest >= (7, 0) else "float32"
    return "bfloat16" if _CPU_BFLOAT16 & processor_flags() else "float32"


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Build networks that compute in ``precision``, their variables staying float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Return the instruction sets that Linux lists for the processor; none elsewhere."""
    try:
        lines = cpuinfo.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())
