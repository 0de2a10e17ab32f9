"""Measure gzip libraries on a volume that the tool made: time, size, and who can read the result.

    pip install zlib-ng pgzip deflate
    python tests/benchmarks/compression.py [SEG] [--rounds N]

SEG (the sample head by default) is translated by the default model and laid on the MNI grid,
182x218x182 voxels of float32. Libraries take turns in every round, and medians are shown, so that
what else runs on the machine weighs on all alike. Every result must be valid for ``gzip -t``, hold
the same voxels for nibabel and SimpleITK, and be the same bytes each time.
"""

from __future__ import annotations

import gzip
import io
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import click
import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813
from isal import igzip
from numpy.typing import NDArray

from oasis_gan import Geometry, Volume, read_nifti, translate
from oasis_gan.cli.choosing import choose_model, load_registry

SAMPLE = Path(__file__).parents[2] / "examples" / "mni152_seg.nii.gz"
MNI = (182, 218, 182)
Times = list[tuple[float, float]]


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return seconds on the clock, seconds of processor time, and the result."""
    clock = time.perf_counter()
    work = time.process_time()
    result = call()
    return time.perf_counter() - clock, time.process_time() - work, result


def made(seg: Path) -> Volume:
    """Translate a label map with the default model, and lay the result on the MNI grid."""
    kind, folder = choose_model(load_registry(()), None)
    translator = kind.load(folder)
    sources = {"labels": read_nifti(seg)}
    clock, work, translation = timed(lambda: translate(sources, translator, seg))
    volume = translation.volume
    print(f"translating {seg.name}: {clock:.1f} s, {work:.1f} s of processor time\n")
    room = [(0, full - size) for full, size in zip(MNI, volume.voxels.shape, strict=True)]
    return Volume(np.pad(volume.voxels, room), Geometry(MNI, volume.geometry.affine))


def opened(module: str, level: int, **options: Any) -> Callable[[bytes], bytes]:  # noqa: ANN401
    """Return a compressor that writes through a module's ``open``."""
    library = import_module(module)

    def compress(data: bytes) -> bytes:
        file = io.BytesIO()
        with library.open(file, "wb", compresslevel=level, **options) as stream:
            stream.write(data)
        return file.getvalue()

    return compress


def pgzipped(data: bytes) -> bytes:
    """Compress with pgzip, which takes a time stamp only in its class."""
    file = io.BytesIO()
    with import_module("pgzip").PgzipFile(
        fileobj=file, mode="wb", compresslevel=1, thread=2, mtime=0
    ) as stream:
        stream.write(data)
    return file.getvalue()


def compressors() -> dict[str, Callable[[bytes], bytes]]:
    """Return what is measured; a library that is not installed raises."""
    faster = import_module("zlib_ng.gzip_ng")
    leanest = import_module("deflate")
    return {
        "gzip 1": lambda data: gzip.compress(data, 1, mtime=0),
        "gzip 6": lambda data: gzip.compress(data, 6, mtime=0),
        "isal 1": lambda data: igzip.compress(data, 1, mtime=0),
        "isal 2": lambda data: igzip.compress(data, 2, mtime=0),
        "isal 3": lambda data: igzip.compress(data, 3, mtime=0),
        "isal 2, 2 threads": opened("isal.igzip_threaded", 2, threads=2),
        "zlib-ng 1": lambda data: faster.compress(data, 1, mtime=0),
        "zlib-ng 2": lambda data: faster.compress(data, 2, mtime=0),
        "zlib-ng 2, 2 threads": opened("zlib_ng.gzip_ng_threaded", 2, threads=2),
        "pgzip 1, 2 threads": pgzipped,
        "libdeflate 1": lambda data: bytes(leanest.gzip_compress(data, 1)),
    }


def require_readable(data: bytes, voxels: NDArray[np.float32], folder: Path) -> None:
    """Raise unless gzip, nibabel and SimpleITK find the volume in ``data``."""
    path = folder / "volume.nii.gz"
    path.write_bytes(data)
    subprocess.run(["gzip", "-t", str(path)], check=True)
    by_nibabel = np.asarray(nib.Nifti1Image.from_filename(path).dataobj)
    by_itk = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T
    if not (np.array_equal(by_nibabel, voxels) and np.array_equal(by_itk, voxels)):
        raise click.ClickException("expected the voxels written, found others")


def measure(
    calls: Mapping[str, Callable[[], Any]], rounds: int, check: Callable[[Any], None]
) -> dict[str, Times]:
    """Time every call once a round; results must be equal, and the first must pass ``check``."""
    times: dict[str, Times] = {name: [] for name in calls}
    first: dict[str, Any] = {}
    for _ in range(rounds):
        for name, call in calls.items():
            clock, work, result = timed(call)
            times[name].append((clock, work))
            if name not in first:
                check(result)
                first[name] = result
            if result != first[name]:
                raise click.ClickException(f"{name}: expected the same bytes again, found others")
    return times


def table(title: str, times: dict[str, Times], sizes: dict[str, int]) -> None:
    """Print a row for each library: medians, and megabytes."""
    print(f"| {title} | seconds | of processor time | MB |\n|---|---|---|---|")
    for name, pairs in times.items():
        clock, work = (median(column) for column in zip(*pairs, strict=True))
        print(f"| {name} | {clock:.2f} | {work:.2f} | {sizes[name] / 1e6:.2f} |")
    print()


@click.command()
@click.argument("seg", type=click.Path(path_type=Path, exists=True), default=SAMPLE)
@click.option("--rounds", default=5, show_default=True, help="How often each library is timed.")
def main(seg: Path, rounds: int) -> None:
    """Measure gzip libraries on the volume that the default model makes of SEG."""
    libraries = ("isal", "zlib-ng", "pgzip", "deflate", "nibabel", "simpleitk")
    print(platform.platform(), platform.python_version(), f"{os.cpu_count()} cores")
    print(", ".join(f"{name} {version(name)}" for name in libraries))
    volume = made(seg)
    data = nib.Nifti1Image(volume.voxels, volume.geometry.affine).to_bytes()
    with tempfile.TemporaryDirectory() as folder:
        writing = {name: partial(compress, data) for name, compress in compressors().items()}
        times = measure(
            writing, rounds, lambda result: require_readable(result, volume.voxels, Path(folder))
        )
    sizes = {name: len(compress(data)) for name, compress in compressors().items()}
    table(f"writing {len(data) / 1e6:.1f} MB", times, sizes)
    packed = gzip.compress(data, 6, mtime=0)
    reading: dict[str, Callable[[], Any]] = {
        "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(packed)).read(),
        "isal": lambda: import_module("isal.igzip").IGzipFile(fileobj=io.BytesIO(packed)).read(),
        "zlib-ng": lambda: (
            import_module("zlib_ng.gzip_ng").GzipNGFile(fileobj=io.BytesIO(packed)).read()
        ),
    }
    table(
        "reading them", measure(reading, rounds, lambda _: None), dict.fromkeys(reading, len(data))
    )


if __name__ == "__main__":
    main()
