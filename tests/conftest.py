"""Fixtures for all tests."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, settings
from kit.desk import make_desk
from kit.painting import PAINT_PLUGIN
from kit.tool import CommandLine, Painting, paint_in
from nibabel.analyze import AnalyzeHeader
from numpy.typing import NDArray

if os.environ.get("OASIS_GAN_TEST_PRECISION"):
    # For this process, and for those that tests start.
    sys.path.insert(0, str(Path(__file__).parent / "kit" / "forced_precision"))
    sys.modules.pop("sitecustomize", None)
    importlib.import_module("sitecustomize")
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (sys.path[0], os.environ.get("PYTHONPATH")))
    )

# Other tests may use the same cores, so that no example has a deadline. The examples of a test
# share its tmp_path.
settings.register_profile(
    "oasis_gan",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("oasis_gan")


SaveAnalyze = Callable[..., Path]


@pytest.fixture(scope="session")
def save_analyze() -> SaveAnalyze:
    """Return a function that saves Analyze 7.5 pairs as in OASIS.

    They are big-endian, and have a fourth axis and blanks instead of an origin.
    """

    def save(
        path: Path,
        voxels: NDArray[Any],
        *,
        orient: int = 0,
        sizes: tuple[float, float, float] = (1, 1, 1),
        order: Literal["<", ">"] = ">",
        **fields: object,
    ) -> Path:
        header = AnalyzeHeader(endianness=order)
        header.set_data_dtype(voxels.dtype)
        header.set_data_shape((*voxels.shape, 1))
        header.set_zooms((*sizes, 1))
        header["orient"] = bytes([orient])
        header["originator"] = b" " * 9
        for name, value in fields.items():
            header[name] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".hdr").write_bytes(header.binaryblock)
        path.with_suffix(".img").write_bytes(
            voxels.astype(voxels.dtype.newbyteorder(order)).tobytes("F")
        )
        return path.with_suffix(".hdr")

    return save


@pytest.fixture(scope="session")
def paint_plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a plugin file with the model "paint", without training or TensorFlow."""
    plugin = tmp_path_factory.mktemp("plugin") / "paint.py"
    plugin.write_text(PAINT_PLUGIN)
    return plugin


@pytest.fixture
def paint(tmp_path: Path, paint_plugin: Path) -> Painting:
    """Return ``oasis-gan run ... --out out`` in ``tmp_path``, with that model."""
    return paint_in(tmp_path, paint_plugin)


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything that the pages name."""
    return make_desk(tmp_path_factory.mktemp("stand-ins") / "desk")


@pytest.fixture
def desk(stand_ins: Path, tmp_path: Path) -> Path:
    """Return a copy of `stand_ins` to work in, with a folder for what pip installs."""
    desk = Path(shutil.copytree(stand_ins, tmp_path / "desk", symlinks=True))
    (desk / "site").mkdir()
    # Python finds an editable install by a .pth file, which it reads only in site folders.
    (desk / "site" / "sitecustomize.py").write_text(
        "import os, site\nsite.addsitedir(os.path.dirname(__file__))\n"
    )
    return desk


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """Return the command line, called with relative paths, far from the checkout and the data."""
    return CommandLine(tmp_path / "apart")
