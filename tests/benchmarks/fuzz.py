"""Feed the readers mutated files: whatever is neither a Volume nor an OasisGanError is a crash.

    pip install -e '.[fuzz]'
    python tests/benchmarks/fuzz.py [--seconds 60] [--corpus FOLDER] [--only READER]

Atheris mutates small files of each kind, guided by the lines of this project that they reach. The
first byte of an input chooses the reader. Checksums are set right after a mutation, or nothing
would get past them. What crashes, or takes more than ten seconds or 2 GiB, is left in FOLDER as
``crash-*``, ``timeout-*`` or ``oom-*``; give such a file in place of FOLDER to see it again. Exit
status: 0 if nothing did.
"""

from __future__ import annotations

import gzip
import io
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import atheris
import click
import nibabel as nib
import numpy as np
from nibabel.analyze import AnalyzeHeader
from PIL import Image

with atheris.instrument_imports(
    include=["oasis_gan", "oasis_gan_bids", "oasis_gan_nifti", "oasis_gan_oasis"]
):
    from oasis_gan_nifti import oasis_gan_datasets as nifti_datasets
    from oasis_gan_oasis.png import decode

    from oasis_gan import OasisGanError, Selection, Volume, read_nifti, read_pair
    from oasis_gan.io.label_tables import read_label_table

Reader = Callable[[bytes, Path], object]
HEADER = 348  # bytes of NIfTI-1 and of Analyze
MAX_VOXELS = 2**16
VOXELS = np.random.default_rng(0).integers(0, 4, (4, 5, 3)).astype(np.int16)


def single(data: bytes, folder: Path) -> object:
    """Read a NIfTI file."""
    return read_nifti(_saved(folder / "scan.nii", data), MAX_VOXELS)


def compressed(data: bytes, folder: Path) -> object:
    """Read a compressed NIfTI file of which the checksum is right."""
    return read_nifti(_saved(folder / "scan.nii.gz", gzip.compress(data, 1)), MAX_VOXELS)


def pair(data: bytes, folder: Path) -> object:
    """Read a header and voxels, NIfTI or Analyze."""
    _saved(folder / "pair.img", data[HEADER:])
    return read_pair(_saved(folder / "pair.hdr", data[:HEADER]), MAX_VOXELS)


def png(data: bytes, folder: Path) -> object:
    """Read a PNG of which the checksums are right."""
    return decode(_with_checksums(data), folder, MAX_VOXELS)


def labels(data: bytes, folder: Path) -> object:
    """Read what a BIDS label map's values mean."""
    return read_label_table(_saved(folder / "dseg.tsv", data))


def pairs(data: bytes, folder: Path) -> object:
    """List a table of pairs."""
    selection = Selection(_saved(folder / "pairs.tsv", data), max_voxels=MAX_VOXELS)
    return list(next(iter(nifti_datasets())).open(selection))


READERS: dict[str, Reader] = {
    "nifti": single,
    "nifti.gz": compressed,
    "pair": pair,
    "png": png,
    "dseg.tsv": labels,
    "pairs.tsv": pairs,
}


def seeds() -> dict[str, list[bytes]]:
    """Return small whole files for each reader."""
    kinds: tuple[type[nib.Nifti1Image], ...] = (nib.Nifti1Image, nib.Nifti2Image)
    images = [kind(VOXELS, np.diag([-1, 1.5, 2, 1])) for kind in kinds]
    for image in images:
        image.set_qform(image.affine, 1)
    analyze = AnalyzeHeader(endianness=">")
    analyze.set_data_dtype(np.int16)
    analyze.set_data_shape((*VOXELS.shape, 1))
    nifti_pair = nib.Nifti1Pair(VOXELS, np.eye(4)).header
    niftis = [image.to_bytes() for image in images]
    return {
        "nifti": [*niftis, gzip.compress(niftis[0])],
        "nifti.gz": niftis,
        "pair": [
            bytes(header.binaryblock) + VOXELS.tobytes("F") for header in (analyze, nifti_pair)
        ],
        "png": [_png(mode) for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")],
        "dseg.tsv": [b"index\tname\tabbreviation\tmapping\n1\tGray Matter\tGM\t1\n7\tpons\t\t\n"],
        "pairs.tsv": [
            b'source\ttarget\tsubject\tsplit\na.nii\tb.nii\tone\ttrain\n"c\n.nii"\t\t\ttest\n'
        ],
    }


def _saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _png(mode: str) -> bytes:
    grey = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    image = (
        Image.fromarray(np.arange(48, dtype=np.uint16).reshape(6, 8))
        if mode == "I;16"
        else grey.convert(mode)
    )
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _with_checksums(data: bytes) -> bytes:
    """Set the checksum of each chunk right: length, type, content, CRC (https://www.w3.org/TR/png-3/#5Chunk-layout)."""
    whole = bytearray(data)
    at = 8
    while at + 12 <= len(whole):
        length = int.from_bytes(whole[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(whole):
            break
        struct.pack_into(">I", whole, end, zlib.crc32(whole[at + 4 : end]))
        at = end + 4
    return bytes(whole)


def _try(data: bytes, folder: Path, readers: list[Reader]) -> None:
    if not data:
        return
    try:
        found = readers[data[0] % len(readers)](data[1:], folder)
    except OasisGanError as error:
        if not str(error).isprintable():
            raise ValueError("an error that is not one line") from error
        return
    if isinstance(found, Volume) and not (
        np.isfinite(found.geometry.affine).all() and found.voxels.ndim == 3
    ):
        raise ValueError(f"a volume that lies nowhere: {found.geometry}")


@click.command()
@click.option("--seconds", default=60, help="How long.")
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Folder to keep what was found in, or a file to try.",
)
@click.option("--only", type=click.Choice(list(READERS)), help="One reader.")
def main(seconds: int, corpus: Path | None, only: str | None) -> None:
    """Feed the readers mutated files."""
    chosen = [only] if only else list(READERS)
    # Outside the folder that goes away: libFuzzer ends the process.
    scratch = Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus = corpus or scratch / "corpus"
    limits = [
        "-timeout=10",
        "-rss_limit_mb=2048",
        f"-max_total_time={seconds}",
        "-max_len=4096",
        "-print_final_stats=1",
    ]
    if not corpus.is_file():
        corpus.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(chosen):
            for index, data in enumerate(seeds()[name]):
                _saved(corpus / f"seed-{name}-{index}", bytes([number]) + data)
        limits.append(f"-artifact_prefix={corpus}/")
    readers = [READERS[name] for name in chosen]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], lambda data: _try(data, scratch, readers))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
