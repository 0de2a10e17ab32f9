"""Subjects and exporters go to another process as they are, with what a plugin file defines."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.another_process import lines_elsewhere, run_elsewhere
from kit.places import ROOT
from PIL import Image

from oasis_gan import (
    Exporter,
    Geometry,
    LabelSetFinder,
    OasisGanError,
    Scan,
    Selection,
    Subject,
    Volume,
    one_line,
)
from oasis_gan.plugin.datasets import Dataset
from oasis_gan.plugin.plugin_files import PluginFile
from oasis_gan.plugin.registry import Registry

SaveAnalyze = Callable[..., Path]
READ = """
from oasis_gan import one_line
answer = []
for scan in value:
    try:
        volume = scan.read()
        answer.append((volume.voxels.tobytes(), volume.geometry.affine.tobytes(), volume.notes))
    except Exception as error:
        answer.append(one_line(error))
"""
LOAD = """
from oasis_gan import OasisGanError
try:
    pickle.load(sys.stdin.buffer)
except OasisGanError as error:
    print(error)
"""
PLUGIN = """
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import numpy as np
from oasis_gan import Dataset, Exporter, Geometry, Scan, Subject, Volume, hookimpl, write_atomically

def read(path, factor=1):
    voxels = np.load(path) * factor
    return Volume(voxels, Geometry(voxels.shape, np.eye(4)))

@dataclass(frozen=True)
class Scaled:
    factor: int

    def __call__(self, path):
        return read(path, self.factor)

class Table:
    @staticmethod
    def read(path):
        return read(path, 5)

def subjects(selection):
    readers = {
        "function": read,
        "partial": partial(read, factor=2),
        "object": Scaled(3),
        "partial of an object": partial(Scaled(4)),
        "static": Table.read,
        "lambda": lambda path: read(path),
        "closure": make(selection),
    }
    for name, reader in readers.items():
        yield Subject(name, Scan(selection.root, reader))

def make(selection):
    def inner(path):
        return read(selection.root)
    return inner

def write(volume, path):
    write_atomically(path, volume.voxels.tobytes())

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="mine", summary="Mine", open=subjects, recognises=lambda path: path.suffix == ".npy"
    )

@hookimpl
def oasis_gan_exporters():
    yield Exporter(name="mine", summary="Mine", suffix=".raw", write=write)
"""
PICKLED = ("function", "partial", "object", "partial of an object", "static")


def save(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(0, 4, (6, 7, 5)).astype(np.uint8)
    nib.save(nib.Nifti1Image(voxels, np.diag([-1.0, 1.2, 2.0, 1.0])), path)


def make_nifti(folder: Path) -> Selection:
    for name in ("a_seg.nii.gz", "a_t1.nii.gz", "b_seg.nii.gz", "c_seg.mgz"):
        save(folder / name.replace(".mgz", ".nii"))
    (folder / "sub" / "link").mkdir(parents=True)
    return Selection(folder, source_suffix="_seg", target_suffix="_t1")


def make_table(folder: Path) -> Selection:
    save(folder / "a.nii")
    (folder / "pairs.tsv").write_text("source\ttarget\na.nii\tmissing.nii\n\ta.nii\n")
    return Selection(folder / "pairs.tsv")


def make_bids(folder: Path) -> Selection:
    for name in (
        "sub-01/anat/sub-01_dseg.nii.gz",
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-02/anat/sub-02_dseg.nii.gz",
    ):
        save(folder / name)
    save(folder / "sub-02/anat/sub-02_run-1_T1w.nii.gz")
    save(folder / "sub-02/anat/sub-02_run-2_T1w.nii.gz")
    (folder / "dataset_description.json").write_text('{"Name": "a", "BIDSVersion": "1.8.0"}')
    return Selection(folder)


def make_neurite(folder: Path) -> Selection:
    for image in ("seg4", "norm"):
        save(folder / "OASIS_OAS1_0001_MR1" / f"{image}.nii.gz")
    (folder / "OASIS_OAS1_0002_MR1").mkdir()
    return Selection(folder)


def make_pngs(folder: Path) -> Selection:
    for name in ("case", "seg"):
        for number in range(3):
            pixels = np.full((4, 5), 85 * number, np.uint8)
            (folder / "all").mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / "all" / f"{name}_001_slice_{number}.nii.png")
    return Selection(folder)


MAKERS: dict[str, Callable[[Path], Selection]] = {
    "nifti": make_nifti,
    "bids": make_bids,
    "neurite-oasis": make_neurite,
    "oasis-png": make_pngs,
}


def read_here_and_elsewhere(
    subjects: list[Subject], cwd: Path
) -> tuple[list[object], list[object]]:
    """Return what the scans hold, or why they cannot be read: here, and in another process."""
    scans = [
        scan
        for subject in subjects
        for scan in (subject.source, subject.target)
        if scan is not None
    ]
    here: list[object] = []
    for scan in scans:
        try:
            volume = scan.read()
            here.append((volume.voxels.tobytes(), volume.geometry.affine.tobytes(), volume.notes))
        except (OasisGanError, OSError) as error:
            here.append(one_line(error))
    return here, run_elsewhere(READ, scans, cwd)


def find_dataset(name: str, files: tuple[Path, ...] = ()) -> Dataset:
    return Registry.discover(files)[Dataset].get(name)


@pytest.mark.parametrize("name", MAKERS)
def test_subjects_of_a_built_in_reader_are_read_elsewhere_as_here(
    name: str, tmp_path: Path
) -> None:
    selection = MAKERS[name](tmp_path / "data")
    finder = LabelSetFinder()
    subjects = [
        Subject(subject.name, finder.describe(subject.source), subject.target)
        for subject in find_dataset(name).open(selection)
    ]
    here, elsewhere = read_here_and_elsewhere(subjects, tmp_path)
    assert elsewhere == here
    assert any(isinstance(result, tuple) for result in here)


def test_what_is_wrong_with_a_row_of_a_table_is_said_elsewhere_as_here(tmp_path: Path) -> None:
    subjects = list(find_dataset("nifti").open(make_table(tmp_path)))
    here, elsewhere = read_here_and_elsewhere(subjects, tmp_path)
    assert elsewhere == here
    assert sum(isinstance(result, str) for result in here) == 3


def test_sessions_of_oasis_1_are_read_elsewhere_as_here(
    tmp_path: Path, save_analyze: SaveAnalyze
) -> None:
    voxels = np.random.default_rng(0).integers(0, 4, (6, 7, 5)).astype(np.uint8)
    folder = tmp_path / "disc1" / "OAS1_0001_MR1"
    save_analyze(folder / "FSL_SEG" / "OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc_fseg", voxels)
    selection = Selection(tmp_path / "disc1", target_suffix="_t88_gfc")
    here, elsewhere = read_here_and_elsewhere(
        list(find_dataset("oasis1").open(selection)), tmp_path
    )
    assert elsewhere == here
    assert [type(result) for result in here] == [tuple, str]


def test_a_folder_that_cannot_be_listed_is_refused_elsewhere_as_here(tmp_path: Path) -> None:
    save(tmp_path / "data" / "a.nii")
    (tmp_path / "data" / "gone").symlink_to(tmp_path / "nowhere", target_is_directory=True)
    subjects = list(find_dataset("nifti").open(Selection(tmp_path / "data")))
    here, elsewhere = read_here_and_elsewhere(subjects, tmp_path)
    assert elsewhere == here


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("numpy_reader/oasis_gan_numpy_reader.py", "npz"),
        ("plugin_template/my_plugin.py", "my-plugin"),
    ],
)
def test_subjects_of_an_example_are_read_elsewhere_as_here(
    file: str, name: str, tmp_path: Path
) -> None:
    voxels = np.arange(24).reshape(2, 3, 4)
    np.save(tmp_path / "a.npy", voxels)
    np.savez(tmp_path / "a.npz", voxels=voxels, affine=np.eye(4))
    dataset = find_dataset(name, (ROOT / "examples" / file,))
    here, elsewhere = read_here_and_elsewhere(list(dataset.open(Selection(tmp_path))), tmp_path)
    assert elsewhere == here
    assert isinstance(here[0], tuple)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    np.save(tmp_path / "a.npy", np.arange(24).reshape(2, 3, 4))
    (tmp_path / "mine.py").write_text(PLUGIN)
    return tmp_path / "mine.py"


@pytest.fixture
def subjects(plugin: Path) -> dict[str, Subject]:
    selection = Selection(plugin.with_name("a.npy"))
    return {subject.name: subject for subject in find_dataset("mine", (plugin,)).open(selection)}


def test_what_a_plugin_file_defines_is_found_elsewhere(
    subjects: dict[str, Subject], tmp_path: Path
) -> None:
    here, elsewhere = read_here_and_elsewhere([subjects[name] for name in PICKLED], tmp_path)
    assert elsewhere == here
    assert len(set(map(str, here))) == len(PICKLED)


def test_an_exporter_of_a_plugin_file_writes_elsewhere(plugin: Path, tmp_path: Path) -> None:
    exporter = Registry.discover([plugin])[Exporter].get("mine")
    volume = Volume(np.arange(24).reshape(2, 3, 4), Geometry((2, 3, 4), np.eye(4)))
    body = "value[0].write(value[1], value[2]); answer = None"
    run_elsewhere(body, (exporter, volume, tmp_path / "a.raw"), tmp_path)
    assert (tmp_path / "a.raw").read_bytes() == volume.voxels.tobytes()


@pytest.mark.parametrize("how", ["lambda", "closure"])
def test_a_reader_without_a_name_works_here_and_is_refused_in_one_line_elsewhere(
    how: str, subjects: dict[str, Subject]
) -> None:
    subject = subjects[how]
    assert subject.source.read().voxels.size == 24
    with pytest.raises(OasisGanError) as raised:
        pickle.dumps(subject)
    line = str(raised.value)
    assert line.startswith(
        f"{subject.source.path}: expected a reader that another process can import"
    )
    assert "<lambda>" in line or "make.<locals>.inner" in line
    assert "\n" not in line


def test_a_plugin_file_that_was_changed_is_refused(
    plugin: Path, subjects: dict[str, Subject]
) -> None:
    data = pickle.dumps(subjects["function"])
    plugin.write_text(f"{PLUGIN}\n# another line")
    (line,) = lines_elsewhere(LOAD, data, plugin.parent)
    assert line.startswith(f"{plugin}: expected the plugin file as it was, SHA-256 ")


def test_a_plugin_file_that_is_gone_is_refused(plugin: Path, subjects: dict[str, Subject]) -> None:
    data = pickle.dumps(subjects["function"])
    plugin.unlink()
    (line,) = lines_elsewhere(LOAD, data, plugin.parent)
    assert "found no such file" in line


def test_a_plugin_that_is_not_installed_elsewhere_is_named(tmp_path: Path) -> None:
    scan = Scan(tmp_path / "a.npy", make_bids)  # type: ignore[arg-type]  # a function of a module that is not there
    (line,) = lines_elsewhere(LOAD, pickle.dumps(scan), tmp_path)
    assert "install the same plugins" in line
    assert f"No module named '{__name__}'" in line


def test_a_plugin_file_has_the_same_name_in_every_process(plugin: Path) -> None:
    file = PluginFile.identify(plugin)
    body = "answer = value.load().__name__"
    assert run_elsewhere(body, file, plugin.parent) == file.module_name == file.load().__name__


def test_a_plugin_file_is_executed_once(plugin: Path) -> None:
    with plugin.open("a") as file:
        file.write("\nwith open(__file__ + '.log', 'a') as log:\n    log.write('x')\n")
    for _ in range(3):
        Registry.discover([plugin])
    assert plugin.with_name("mine.py.log").read_text() == "x"


def test_two_copies_of_a_plugin_file_are_different_plugins(plugin: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.py"
    copy.write_text(PLUGIN)
    with pytest.raises(OasisGanError, match="name only one of the two files"):
        Registry.discover([plugin, copy])
