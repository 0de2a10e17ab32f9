"""Put hostile files through the tool, and compare what becomes of them with what should.

    python tests/benchmarks/hostile.py FOLDER [--gib 3] [--seconds 25] [--only TEXT]

FOLDER holds files and ``cases.json``, a list of objects with ``name``, ``file``, ``mates`` (the
label map of a pair), and ``expect``: accept, warn (accept, and say so), fix (repair, and say so) or
reject. More are made here: what cannot be kept as a file. All of them go through one ``oasis-gan
check``, then all but the pairs through one ``oasis-gan run`` with a model that only copies, each
within a limit of memory and of time for a case. A run does not tell a fix from a warning. Exit
status: 0 if all come out as they should.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import nibabel as nib
import numpy as np

COPY = """
from pathlib import Path
from oasis_gan import Canvas, ModelCard, ModelKind, Plane, Window, hookimpl, slicewise

GREY = Window((0, 1000), (0, 1))

CARD = ModelCard(name="copy", version="1", sources={"image": GREY}, target=GREY, output="copy")


def copy(slices, mask):
    return slices


def load(folder):
    return slicewise(copy, CARD, planes=tuple(Plane), canvas=Canvas(1.0, 1, 1))


@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="copy", summary="As it is", card=lambda _: CARD, load=load, shipped={"copy": Path()}
    )
"""


@dataclass(frozen=True)
class Case:
    """Files that are a subject, and what should become of it."""

    name: str
    file: Path
    mate: Path | None
    expect: str

    @property
    def in_run(self) -> set[str]:
        """What may become of it in a run; of a slice it says that its place is assumed."""
        if self.expect in {"fix", "warn"}:
            return {"said"}
        return {self.expect, "said"} if self.is_slice and self.expect == "accept" else {self.expect}

    @property
    def is_slice(self) -> bool:
        """Whether it is no volume file, which a table of pairs could list."""
        return self.file.name.lower().endswith(".png")


def given(folder: Path) -> Iterator[Case]:
    """Yield the cases of a folder."""
    for number, case in enumerate(json.loads((folder / "cases.json").read_text("utf-8"))):
        mates = [folder / mate for mate in case["mates"]]
        yield Case(
            f"{number:03} {case['name']}",
            folder / case["file"],
            next(iter(mates), None),
            case["expect"],
        )


def made(folder: Path) -> Iterator[Case]:
    """Make the cases that cannot be kept as files, and yield them."""
    good = folder / "good.nii.gz"
    nib.save(_head(), good)
    names = [
        "new\nline",
        "-rf",
        "<img src=x onerror=alert(1)>",
        "%s%n",
        b"caf\xe9".decode("utf-8", "surrogateescape"),
    ]
    for name in names:
        path = folder / f"{name.replace('/', '_')}.nii.gz"
        path.write_bytes(good.read_bytes())
        yield Case(f"name {name!r}", path, None, "accept")
    for name, data in (
        ("bomb", _bomb(1024)),
        ("small, then 8 GiB", gzip.compress(_head().to_bytes()) + _zeros(2**33)),
    ):
        (folder / f"{name}.nii.gz").write_bytes(data)
        yield Case(name, folder / f"{name}.nii.gz", None, "reject")
    os.mkfifo(folder / "pipe.nii")
    (folder / "zero.nii").symlink_to("/dev/zero")
    (folder / "loop.nii").symlink_to("loop.nii")
    (folder / "folder.nii.gz").mkdir()
    (folder / "unreadable.nii").write_bytes(_head().to_bytes())
    (folder / "unreadable.nii").chmod(0)
    for name in ("pipe.nii", "zero.nii", "loop.nii", "folder.nii.gz"):
        yield Case(name, folder / name, None, "reject")
    # Root may read everything.
    if os.geteuid():
        yield Case("unreadable.nii", folder / "unreadable.nii", None, "reject")


def _head() -> nib.Nifti1Image:
    grid = np.indices((24, 26, 22)) - np.array([12, 13, 11]).reshape(3, 1, 1, 1)
    noise = np.random.default_rng(0).normal(0, 20, grid.shape[1:])
    voxels = np.where((grid**2).sum(0) < 100, 500 + noise + 10 * grid[0], 0).astype(np.float32)
    return nib.Nifti1Image(voxels, np.diag([-2.0, 2.0, 2.0, 1.0]))


def _bomb(size: int) -> bytes:
    """Return 8 GiB of float64 zeros and a header that announces them."""
    image = nib.Nifti1Image(np.zeros((1, 1, 1)), np.eye(4))
    header = image.header.copy()
    header.set_data_shape((size,) * 3)
    header["vox_offset"] = header.single_vox_offset
    return gzip.compress(bytes(header.binaryblock) + bytes(4)) + _zeros(8 * size**3)


def _zeros(count: int) -> bytes:
    """Return zeros, compressed a thousand times."""
    chunk = 2**26
    return gzip.compress(bytes(chunk)) * (count // chunk)


def _limited(gib: float) -> None:
    limit = int(gib * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def rows(
    cases: list[Case], folder: Path, command: list[object], gib: float, seconds: float
) -> dict[str, list[str]]:
    """Return the row of each case in the table that a command makes of all of them, within limits.

    What is missing was not come to, because the tool gave up before, or took too long.
    """
    sources = [table(folder / "cases.tsv", [case for case in cases if not case.is_slice])]
    sources += [case.file for case in cases if case.is_slice]
    words = [sys.executable, "-m", "oasis_gan", *map(str, command), "--", *map(str, sources)]
    # OpenBLAS sets memory aside for every thread.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    began = time.monotonic()
    try:
        process = subprocess.run(
            words,
            capture_output=True,
            timeout=seconds * len(cases),
            check=False,
            env=environment,
            preexec_fn=lambda: _limited(gib),
        )
        stdout = process.stdout
        stderr = process.stderr
        ended = f"exit status {process.returncode}"
    except subprocess.TimeoutExpired as error:
        stdout = error.stdout or b""
        stderr = error.stderr or b""
        ended = "stopped"
    print(f"oasis-gan {command[0]}: {len(cases)} cases, {time.monotonic() - began:.0f} s, {ended}")
    if b"Traceback" in stderr:
        print(stderr.decode("utf-8", "replace"))
    ledger = folder / "out/subjects.tsv"
    lines = (
        (ledger.read_bytes() if command[0] == "run" and ledger.exists() else stdout)
        .decode("utf-8")
        .splitlines()
    )
    names = {_printed(case.name): case.name for case in cases}
    # Slices are named by their files, or by all of its name where nothing could read them.
    names |= {
        _printed(name): case.name
        for case in cases
        if case.is_slice
        for name in (case.file.stem, case.file.name)
    }
    cells = [line.split("\t") for line in lines[1:]]
    return {names.get(row[0], row[0]): row[1:] for row in cells}


def table(path: Path, cases: list[Case]) -> Path:
    """Write a table of pairs."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, dialect="excel-tab")
        writer.writerow(["subject", "source", "target"])
        writer.writerows(
            [case.name, case.mate or case.file, case.file if case.mate else ""] for case in cases
        )
    return path


def run(cases: list[Case], folder: Path, gib: float, seconds: float) -> dict[str, str]:
    """Return what became of each case in a run: accept, said or reject."""
    (folder / "copy.py").write_text(COPY)
    model = ["--plugin", folder / "copy.py", "--model", "copy", "--out", folder / "out"]
    found = {}
    for name, (status, _, message) in rows(cases, folder, ["run", *model], gib, seconds).items():
        found[name] = "reject" if status == "failed" else "said" if message else "accept"
    left = [path.name for path in (folder / "out").iterdir() if path.name.endswith(".part")]
    if left:
        print(f"left behind: {left}")
    return found


def _printed(text: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--gib", default=3.0, help="Limit of memory.")
@click.option("--seconds", default=25.0, help="Limit of time for each case.")
@click.option("--only", default="", help="Only cases with this in their name or file.")
def main(folder: Path, gib: float, seconds: float, only: str) -> None:
    """Put hostile files through the tool."""
    with tempfile.TemporaryDirectory() as work:
        (Path(work) / "made").mkdir()
        cases = [*given(folder.absolute()), *made(Path(work) / "made")]
        cases = [case for case in cases if only in f"{case.name} {case.file.name}"]
        checked = rows(cases, Path(work), ["check", "--format", "tsv"], gib, seconds)
        ran = run([case for case in cases if not case.mate], Path(work), gib, seconds)
        wrong = 0
        for case in cases:
            verdict, message = checked.get(case.name, ["missing", ""])
            outcome = "-" if case.mate else ran.get(case.name, "missing")
            agrees = verdict == case.expect and outcome in {"-", *case.in_run}
            wrong += not agrees
            words = "agree   " if agrees else "DISAGREE"
            verdicts = f"check {verdict:7} run {outcome:7}"
            print(f"{words} {case.expect:7} {verdicts} {_printed(case.name)}: {message}")
    print(f"{len(cases) - wrong} of {len(cases)} agree")
    sys.exit(int(wrong > 0))


if __name__ == "__main__":
    main()
