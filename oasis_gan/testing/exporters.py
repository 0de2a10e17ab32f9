"""The contract that every exporter keeps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from ..image.volume import Affine, Geometry, Volume
from ..io.nifti import is_nifti_name, read_nifti
from ..plugin.exporters import Exporter
from .checks import assert_listed, must_raise
from .contract import Case, Contract, Samples

SHAPE = (13, 11, 7)
TOLERANCE_MM = 1e-3
"""Largest displacement of a voxel that is written and read back: affines may be float32."""
_ITK_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")


def _affine(directions: Affine, spacing: tuple[float, float, float] = (1, 1, 1)) -> Affine:
    origin = (-61.5, 40.25, -12.75)
    return np.asarray(nib.affines.from_matvec(directions @ np.diag(spacing), origin))


_OBLIQUE = nib.eulerangles.euler2mat(0.3, -0.2, 0.1)
AFFINES: dict[str, Affine] = {
    "RAS": _affine(np.eye(3)),
    "LAS": _affine(np.diag([-1.0, 1, 1])),
    "anisotropic": _affine(np.diag([-1.0, -1, 1]), (0.9375, 0.9375, 3.3)),
    "permuted": _affine(np.eye(3)[[1, 2, 0]] @ np.diag([1.0, -1, 1]), (1.2, 0.8, 1)),
    "oblique": _affine(_OBLIQUE @ np.diag([-1.0, 1, 1]), (0.7, 1.1, 2.5)),
}
"""Affines from voxel indices to RAS+ mm, one for each kind of orientation that scans have."""


class ExporterContract(Contract):
    """Checks for an exporter. A subclass provides the fixture ``exporter``."""

    given = ("exporter",)

    @classmethod
    def cases(cls, offer: Exporter, samples: Samples) -> Iterator[Case]:
        """Yield the exporter, which needs no sample."""
        yield Case({"exporter": offer})

    @pytest.fixture
    def exporter(self) -> Exporter:
        """Return the exporter to check."""
        pytest.fail("give a fixture `exporter` that returns the Exporter of your plugin")

    @pytest.fixture
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return an empty folder to hold what the test writes."""
        return tmp_path_factory.mktemp("out")

    @pytest.fixture(params=AFFINES)
    def volume(self, request: pytest.FixtureRequest) -> Volume:
        """Return a volume in each of the geometries."""
        return example_volume(AFFINES[request.param])

    def test_it_can_be_named_and_listed(self, exporter: Exporter) -> None:
        """The name is one word, the summary one line, and the suffix the end of a file name."""
        assert_listed(exporter.name, exporter.summary)
        suffix = exporter.suffix
        assert suffix.startswith(".") and len(suffix) > 1, (
            f"the suffix {suffix!r}: begin it with a dot, as in .nii.gz"
        )
        assert "/" not in suffix and suffix.isprintable(), (
            f"the suffix {suffix!r} does not fit into a file name"
        )

    @pytest.mark.parametrize("stem", ["sub-01_synthT1w", "v1.2 (köpie)"])
    def test_one_file_is_written_under_the_name_asked_for(
        self, exporter: Exporter, folder: Path, stem: str
    ) -> None:
        """No other file is left beside it, whatever its name."""
        path = folder / f"{stem}{exporter.suffix}"
        exporter.write(example_volume(), path)
        assert path.is_file(), (
            f"there is {_names(folder)}: write to the path given, changing nothing of it"
        )
        _assert_alone(path)

    def test_the_volume_stays_as_it_is(
        self, exporter: Exporter, folder: Path, volume: Volume
    ) -> None:
        """An exporter changes neither the voxels nor the affine of the volume that it writes."""
        voxels = volume.voxels.copy()
        affine = volume.geometry.affine.copy()
        exporter.write(volume, folder / f"a{exporter.suffix}")
        assert np.array_equal(volume.voxels, voxels), (
            "`write` changed the voxels of the volume: work on a copy"
        )
        assert np.array_equal(volume.geometry.affine, affine), (
            "`write` changed the affine: work on a copy"
        )

    def test_an_old_file_gives_way(self, exporter: Exporter, folder: Path) -> None:
        """Written again, the file holds the new volume."""
        path = folder / f"a{exporter.suffix}"
        fresh = folder / f"b{exporter.suffix}"
        exporter.write(example_volume(seed=1), path)
        before = path.read_bytes()
        exporter.write(example_volume(seed=2), path)
        assert path.read_bytes() != before, "`write` left the old file as it was: replace it"
        exporter.write(example_volume(seed=2), fresh)
        assert path.stat().st_size == fresh.stat().st_size, (
            "something of the old file is left: replace it as a whole"
        )

    def test_a_full_disk_leaves_nothing(self, exporter: Exporter, folder: Path) -> None:
        """The exporter raises, and leaves no file that looks like a volume."""
        with must_raise((Exception,), _UNNOTICED), _full_disk():
            exporter.write(example_volume(), folder / f"a{exporter.suffix}")
        assert not _names(folder), f"a failed `write` left {_names(folder)}: {_ATOMIC}"

    def test_a_full_disk_leaves_the_old_file(self, exporter: Exporter, folder: Path) -> None:
        """After a failed write, the old file is still there, unchanged."""
        path = folder / f"a{exporter.suffix}"
        exporter.write(example_volume(seed=1), path)
        before = path.read_bytes()
        with must_raise((Exception,), _UNNOTICED), _full_disk():
            exporter.write(example_volume(seed=2), path)
        assert path.is_file() and path.read_bytes() == before, (
            f"a failed `write` damaged the old file: {_ATOMIC}"
        )
        _assert_alone(path)

    def test_a_folder_that_is_not_there_is_an_error(self, exporter: Exporter, folder: Path) -> None:
        """The tool creates the folder, but it can disappear, as an unmounted share does."""
        path = folder / "gone" / f"a{exporter.suffix}"
        otherwise = "there was no folder, and `write` raised nothing: do not make it anew"
        with must_raise((Exception,), otherwise):
            exporter.write(example_volume(), path)
        assert not path.exists(), "`write` raised, and left a file"

    def test_nibabel_reads_it_back(self, exporter: Exporter, folder: Path, volume: Volume) -> None:
        """If nibabel knows the suffix, it reads the same voxels at the same positions."""
        path = folder / f"a{exporter.suffix}"
        if not is_nifti_name(path):
            pytest.skip(f"nibabel is not asked about {exporter.suffix}")
        exporter.write(volume, path)
        image = nib.Nifti1Image.from_filename(path)
        assert np.array_equal(image.get_fdata(), volume.voxels), (
            "nibabel reads other voxels than were written"
        )
        _assert_places(volume.geometry, image.affine, "nibabel")
        # This is stricter than nibabel: it checks gzip's checksum and for surplus bytes.
        _assert_places(volume.geometry, read_nifti(path).geometry.affine, "oasis_gan.read_nifti")

    def test_itk_reads_it_back(self, exporter: Exporter, folder: Path, volume: Volume) -> None:
        """If ITK knows the suffix, it reads the same voxels at the same positions."""
        if exporter.suffix not in _ITK_SUFFIXES:
            pytest.skip(f"ITK is not asked about {exporter.suffix}")
        path = folder / f"a{exporter.suffix}"
        exporter.write(volume, path)
        itk = _simpleitk()
        image = itk.ReadImage(str(path))
        voxels = itk.GetArrayFromImage(image).T
        assert np.array_equal(voxels, volume.voxels), "ITK reads other voxels than were written"
        _assert_places(volume.geometry, _itk_affine(image), "ITK")


_ATOMIC = (
    "write with oasis_gan.write_atomically(path, bytes), or, if a library must write to a path, "
    "inside oasis_gan.write_whole(path)"
)
_UNNOTICED = (
    "the disk was full, and `write` raised nothing: the library that writes does not report it "
    "(SimpleITK does not), or its error was caught; read the file back, compare, and raise if it "
    "differs, before it takes its final name"
)


def example_volume(affine: Affine = AFFINES["RAS"], seed: int = 0) -> Volume:
    """Return float32 noise, which does not compress well, with background around it."""
    rng = np.random.default_rng(seed)
    inside = [size - 2 for size in SHAPE]
    voxels = np.zeros(SHAPE, np.float32)
    voxels[1:-1, 1:-1, 1:-1] = rng.uniform(1, 1000, inside)
    return Volume(voxels, Geometry(SHAPE, affine.copy()))


@contextmanager
def _full_disk(room: int = 256) -> Iterator[None]:
    """Limit files to ``room`` bytes, so that writing fails as it does on a full disk.

    The limit is set in this process, because an exporter may not be picklable. On a system without
    limits, the check is skipped.
    """
    resource: Any = pytest.importorskip("resource", reason="this system does not limit files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _assert_alone(path: Path) -> None:
    others = [name for name in _names(path.parent) if name != path.name]
    assert not others, (
        f"beside {path.name} there is {others}: write one file, and remove temporary ones"
    )


def _assert_places(geometry: Geometry, affine: Affine, reader: str) -> None:
    """Check that an affine maps the corners of a grid to the same positions as its geometry."""
    ends = [(0, size - 1) for size in geometry.shape]
    corners = np.array(np.meshgrid(*ends, [1], indexing="ij")).reshape(4, -1)
    differences = ((geometry.affine - affine) @ corners)[:3]
    apart = float(np.linalg.norm(differences, axis=0).max())
    assert apart <= TOLERANCE_MM, (
        f"for {reader} a corner is {apart:.3g} mm away: write the affine as well"
    )


def _itk_affine(image: Any) -> Affine:  # noqa: ANN401 - SimpleITK has no types
    directions = np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing())
    lps_affine = nib.affines.from_matvec(directions, image.GetOrigin())
    return np.asarray(np.diag([-1.0, -1, 1, 1]) @ lps_affine)


def _simpleitk() -> Any:  # noqa: ANN401 - a module without types
    with warnings.catch_warnings():
        # SWIG causes this warning, not the plugin.
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip("SimpleITK")
