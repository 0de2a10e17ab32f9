"""``oasis-gan plugins --check`` tells a plugin's author what is missing, without a test file."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import tool_command

from oasis_gan.plugin import hookspecs

HOOKS = ("oasis_gan_datasets", "oasis_gan_models", "oasis_gan_exporters")
BREAKING = [
    ("Volume(np.array(voxels), ", "Volume(voxels > 0, "),
    ("slices @ GREYS[:, np.newaxis]", "2 * slices @ GREYS[:, np.newaxis]"),
    ("write_atomically(path, file.getvalue())", "path.write_bytes(file.getvalue())"),
]
NO_PYTEST = "import sys; sys.modules['pytest'] = None; from oasis_gan.cli.main import main; main()"


def example(hook: str) -> str:
    """Return the plugin in a hook's docstring."""
    return textwrap.dedent(inspect.cleandoc(getattr(hookspecs, hook).__doc__).partition("::\n")[2])


def check(
    folder: Path, *words: str, pytest_installed: bool = True
) -> subprocess.CompletedProcess[str]:
    """Check a plugin as its author does."""
    tool = tool_command() if pytest_installed else [sys.executable, "-c", NO_PYTEST]
    command = [*tool, "plugins", "--check", *words]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def counted(printed: str) -> list[str]:
    """Return the lines that say how many checks were kept."""
    return [line for line in printed.splitlines() if "checks kept" in line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a plugin of each kind, a volume, and what must not disturb a check."""
    # Each example brings its own imports, and names of its own.
    (tmp_path / "mine.py").write_text("\n".join(example(hook) for hook in HOOKS))
    np.save(tmp_path / "brain.npy", np.ones((4, 5, 6)))
    (tmp_path / "conftest.py").write_text("raise SystemExit('not to be loaded')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    return tmp_path


def test_the_examples_of_the_documentation_keep_the_contract(folder: Path) -> None:
    done = check(folder, "mine.py", "--sample", "brain.npy")
    assert done.returncode == 0, done.stdout + done.stderr
    offers, counts = zip(*(line.split(": ") for line in counted(done.stdout)), strict=True)
    assert offers == ("dataset numpy on brain.npy", "model kind paint on .", "exporter numpy")
    assert all(
        re.fullmatch(r"[1-9]\d* checks kept, 0 broken, \d+ skipped", count) for count in counts
    )
    assert done.stderr == ""


def test_a_broken_promise_is_one_line_with_a_remedy(folder: Path) -> None:
    code = (folder / "mine.py").read_text()
    for before, after in BREAKING:
        assert before in code
        code = code.replace(before, after)
    (folder / "mine.py").write_text(code)
    done = check(folder, "mine.py", "--sample", "brain.npy")
    assert done.returncode == 1
    for said in (
        "dataset numpy on brain.npy: every scan is a volume with a place in space: brain.npy: "
        "voxels are bool: convert them to integers or floats",
        "model kind paint on .: slices are answered between 0 and 1: the answer reaches from "
        "0.6 to 1.5: scale",
        "exporter numpy: a full disk leaves nothing: a failed `write` left ['a.npy']: write with "
        "oasis_gan.write_",
    ):
        assert [line for line in done.stdout.splitlines() if line.startswith(said)], done.stdout
    assert len(re.findall(r"checks kept, [1-9]\d* broken", done.stdout)) == 3
    assert "Traceback" not in done.stdout + done.stderr


def test_a_check_that_cannot_run_does_not_count_as_passed(folder: Path) -> None:
    code = (folder / "mine.py").read_text().replace('shipped={"paint": Path()}', "shipped={}")
    (folder / "mine.py").write_text(code)
    done = check(folder, "mine.py", "--sample", "nothing.txt")
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "dataset numpy: not checked; name a file or folder that it recognises with --sample",
        "model kind paint: not checked; name a folder with a trained model of it with --sample",
    ]
    (folder / "model").mkdir()
    (folder / "model" / "model.json").write_text('{"kind": "paint"}')
    done = check(folder, "mine.py", "--sample", "model", "--sample", "brain.npy")
    assert done.returncode == 0, done.stdout
    assert "model kind paint on model: " in done.stdout


def test_an_installed_plugin_is_checked_by_its_name(folder: Path) -> None:
    done = check(folder, "itk")
    assert done.returncode == 0, done.stdout
    assert [line.split(":")[0] for line in counted(done.stdout)] == [
        "exporter metaimage",
        "exporter nrrd",
    ]


@pytest.mark.parametrize("name", ["nrrd", "metaimage"])
def test_an_exporter_is_checked_by_the_name_it_is_listed_under(folder: Path, name: str) -> None:
    done = check(folder, name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0] for line in counted(done.stdout)] == [f"exporter {name}"]


def test_a_reader_is_checked_by_the_name_it_is_listed_under(folder: Path) -> None:
    done = check(folder, "neurite-oasis", "--sample", "nothing")
    assert done.returncode == 1
    assert done.stdout == (
        "dataset neurite-oasis: not checked; "
        "name a file or folder that it recognises with --sample\n"
    )


def test_a_plugin_that_cannot_be_loaded_is_one_line(folder: Path) -> None:
    (folder / "mine.py").write_text("import no_such_module")
    done = check(folder, "mine.py")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert "No module named 'no_such_module'" in line


def test_a_plugin_that_is_not_installed_is_wrong_usage(folder: Path) -> None:
    done = check(folder, "nonsense")
    assert done.returncode == 2
    assert done.stderr == (
        "oasis-gan: --check: expected a plugin, found nonsense; "
        "name one that oasis-gan plugins lists, or a file .py\n"
    )


def test_without_pytest_the_message_says_how_to_install_it(folder: Path) -> None:
    done = check(folder, "mine.py", pytest_installed=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith("; pip install 'oasis-gan[testing]'")
    assert done.stdout == ""


def test_another_plugin_beside_the_one_to_check_is_refused(folder: Path) -> None:
    done = check(folder, "my_plugin.py", "--plugin", "other.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--check: expected one plugin, found --plugin other.py as well" in done.stderr
    assert len(done.stderr.splitlines()) == 1


IMAGE_MODEL = """
import numpy as np
from pathlib import Path
from oasis_gan import (
    OASIS,
    Canvas,
    ModelCard,
    ModelKind,
    Percentiles,
    Plane,
    Window,
    hookimpl,
    slicewise,
)

CARD = ModelCard(name="image", version="1", sources=SOURCE, target=TARGET, output="T2w")

def invert(slices, mask):
    return np.repeat(1 - slices, CARD.target.channels, axis=-1)

def load(folder):
    return slicewise(invert, CARD, planes=[Plane.AXIAL], canvas=Canvas(1.0, 4, 4))

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="image",
        summary="From an image",
        card=lambda _: CARD,
        load=load,
        shipped={"image": Path()},
    )
"""


def save_image_model(folder: Path, source: str, target: str) -> None:
    (folder / "image.py").write_text(
        IMAGE_MODEL.replace("SOURCE", source).replace("TARGET", target)
    )


@pytest.mark.parametrize(
    "source", ["Percentiles()", "Percentiles(1, 99)", "Window((0, 900), (0, 1))"]
)
@pytest.mark.parametrize("target", ["Window((0, 1000), (0, 1))", "OASIS"])
def test_a_model_that_takes_images_keeps_the_contract(
    folder: Path, source: str, target: str
) -> None:
    save_image_model(folder, f"{{'image': {source}}}", target)
    done = check(folder, "image.py")
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = counted(done.stdout)
    assert re.fullmatch(
        r"model kind image on \.: [1-9]\d* checks kept, 0 broken, \d+ skipped", line
    )


@pytest.mark.parametrize(
    ("sources", "target", "said"),
    [
        ("[OASIS, OASIS]", "OASIS", "the card's sources are a list: make them a dictionary"),
        ("OASIS", "OASIS", "the card's sources are a LabelSet: make them a dictionary"),
        ("{}", "OASIS", "the card has no source: name what goes in"),
        ("{'t1': None}", "OASIS", "the card's source t1 is a NoneType: make it a LabelSet"),
        ("{'labels': OASIS}", "(OASIS, OASIS)", "the card's target is a tuple: make it a LabelSet"),
        (
            "{'labels': OASIS}",
            "Percentiles()",
            "the card's target is a Percentiles: make it a LabelSet",
        ),
    ],
)
def test_a_card_without_encodings_is_reported_in_one_line(
    folder: Path, sources: str, target: str, said: str
) -> None:
    save_image_model(folder, sources, target)
    done = check(folder, "image.py")
    assert done.returncode == 1
    assert len([line for line in done.stdout.splitlines() if said in line]) == 1, done.stdout
    assert "1 broken" in counted(done.stdout)[0]
    assert "Error" not in done.stdout


def test_a_model_that_does_not_load_is_one_line(folder: Path) -> None:
    save_image_model(folder, "{'labels': OASIS}", "OASIS")
    code = (folder / "image.py").read_text()
    (folder / "image.py").write_text(code.replace("load=load,", "load=lambda _: 1 / 0,"))
    done = check(folder, "image.py")
    assert done.returncode == 1
    assert done.stdout.count("division by zero") <= 2, done.stdout


def save_pairs(folder: Path, target: tuple[int, int, int] = (4, 5, 6)) -> None:
    """Save a subject's label map and MRI in a folder ``pairs``."""
    (folder / "pairs").mkdir()
    for name, shape in (("a_seg", (4, 5, 6)), ("a_t1", target)):
        nib.save(
            nib.Nifti1Image(np.ones(shape, np.uint8), np.eye(4)), folder / "pairs" / f"{name}.nii"
        )


def test_a_reader_of_pairs_is_checked_with_pairs(folder: Path) -> None:
    save_pairs(folder)
    suffixes = ("--source-suffix", "_seg.nii", "--target-suffix", "_t1.nii")
    done = check(folder, "nifti", "--sample", "pairs", *suffixes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pairs lie on one grid" not in done.stdout
    assert re.search(r"dataset nifti on pairs: \d+ checks kept, 0 broken, 0 skipped", done.stdout)


def test_pairs_on_two_grids_are_found(folder: Path) -> None:
    save_pairs(folder, target=(4, 5, 7))
    done = check(
        folder,
        "nifti",
        "--sample",
        "pairs",
        "--source-suffix",
        "_seg.nii",
        "--target-suffix",
        "_t1.nii",
    )
    assert done.returncode == 1
    assert "dataset nifti on pairs: pairs lie on one grid: " in done.stdout


def test_what_was_not_checked_is_listed_with_the_reason(folder: Path) -> None:
    done = check(folder, "mine.py", "--sample", "brain.npy")
    assert [line for line in done.stdout.splitlines() if ": skipped: " in line] == [
        "dataset numpy on brain.npy: skipped: pairs lie on one grid: there are no targets "
        "(--target or --target-suffix finds some)",
        "dataset numpy on brain.npy: skipped: a suffix that no file has finds nothing: "
        "the sample is a file, not a folder",
        "model kind paint on .: skipped: the uncertainty lies beside the same volume: "
        "the model says nothing about its uncertainty",
        "exporter numpy: skipped: nibabel reads it back: nibabel is not asked about .npy",
        "exporter numpy: skipped: itk reads it back: ITK is not asked about .npy",
    ]


READER = """
import numpy as np
from oasis_gan import Dataset, Geometry, OasisGanError, Scan, Subject, Volume, hookimpl

def read(path):
    voxels = np.load(path)
    return Volume(voxels, Geometry(voxels.shape, np.eye(4)))

def subjects(selection):
    root = selection.root
    paths = sorted(root.glob("*.npy")) if root.is_dir() else [root]
    if not paths:
        raise OasisGanError(root, expected="files", found="none", remedy="check the path")
    for path in paths:
        yield Subject(path.stem, Scan(path, read))

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="careless",
        summary="Files",
        open=subjects,
        recognises=lambda path: path.suffix == ".npy" or any(path.glob("*.npy")),
    )
"""


def test_a_reader_that_ignores_options_is_detected(folder: Path) -> None:
    (folder / "careless.py").write_text(READER)
    done = check(folder, "careless.py", "--sample", ".")
    assert done.returncode == 1
    said = "`open` ignored --source-suffix _no-such-suffix.xyz: "
    assert f"{said}list only files that end in source_suffix" in done.stdout
    assert (
        "--max-voxels 119 let 120 voxels pass: compare the size in the file with max_voxels"
        in done.stdout
    )
