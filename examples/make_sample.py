"""Make the sample volumes of this folder: the tissue map and the T1w of one head.

    python examples/make_sample.py HEAD [--name mni152] [--out examples]

HEAD holds ``seg.nii.gz`` (0 background, 1 CSF, 2 GM, 3 WM) and ``t1.nii.gz`` on one grid. Both are
checked, and packed again as small as gzip can; not a bit of header or voxels changes.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import click

from oasis_gan import OASIS, OasisGanError, Scan, Subject, read_nifti, write_atomically

LIMITS = {"seg": 300_000, "t1": 4_000_000}
"""Bytes that each volume may take in the repository."""
_PATH = click.Path(path_type=Path, file_okay=False)


def pack(path: Path, limit: int) -> bytes:
    """Return the content of a gzip file compressed as far as it goes, without a time stamp.

    Raises:
        OasisGanError: If that takes more than ``limit`` bytes.
    """
    data = gzip.compress(gzip.decompress(path.read_bytes()), 9, mtime=0)
    if len(data) > limit:
        remedy = "take a smaller head"
        raise OasisGanError(
            path, expected=f"at most {limit} bytes", found=str(len(data)), remedy=remedy
        )
    return data


@click.command()
@click.argument("head", type=_PATH)
@click.option(
    "--name", default="mni152", show_default=True, help="What the names of the samples begin with."
)
@click.option(
    "--out",
    type=_PATH,
    default=Path(__file__).parent,
    help="Where to write them.  [default: this folder]",
)
def main(head: Path, name: str, out: Path) -> None:
    """Write NAME_seg.nii.gz and NAME_t1.nii.gz from the volumes in HEAD."""
    sources = {kind: head / f"{kind}.nii.gz" for kind in LIMITS}
    seg, t1 = (Scan(path, read_nifti) for path in sources.values())
    try:
        labels, _ = Subject(name, seg, t1).read_both()
        OASIS.clean(labels, seg.path)
        for kind, path in sources.items():
            sample = out / f"{name}_{kind}.nii.gz"
            write_atomically(sample, pack(path, LIMITS[kind]))
            click.echo(f"{sample}: {sample.stat().st_size} bytes")
    except (OasisGanError, OSError) as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
