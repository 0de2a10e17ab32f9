"""What a run works with can be pickled: another process writes the same bytes from it."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit.another_process import lines_elsewhere
from kit.heads import Files, files, save_head
from kit.places import EXAMPLES

from oasis_gan import Exporter, OasisGanError
from oasis_gan.pipeline.job import Job
from oasis_gan.pipeline.places import Layout
from oasis_gan.plugin.model_references import ModelReference
from oasis_gan.plugin.plugin_files import PluginFile
from oasis_gan.plugin.registry import Registry

# `oasis-gan` that leaves the pickle of its subjects and its job behind, once the model is loaded.
RUN_AND_KEEP = """
import pickle
from pathlib import Path
from oasis_gan.cli import run
from oasis_gan.cli.main import main

plan_works = run.plan_works

def plan_and_keep(subjects, job):
    job.translator
    Path("job.pickle").write_bytes(pickle.dumps((subjects, job)))
    return plan_works(subjects, job)

run.plan_works = plan_and_keep
main()
"""
TRANSLATE = """
from oasis_gan import OasisGanError
try:
    subjects, job = pickle.load(sys.stdin.buffer)
    from oasis_gan.pipeline.cohort import translate_all
    job.layout.root.mkdir(exist_ok=True)
    for outcome in translate_all(subjects, job):
        print(outcome.status, outcome.message)
except OasisGanError as error:
    print(error)
"""
LOAD = """
from oasis_gan import OasisGanError
try:
    pickle.load(sys.stdin.buffer).load()
except OasisGanError as error:
    print(error)
"""
PLUGIN = """
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from oasis_gan import (
    OASIS, Canvas, Dataset, Exporter, Geometry, ModelCard, ModelKind, Option, Plane, Scan, Subject,
    Volume, Window, hookimpl, slicewise, write_atomically,
)

CARD = ModelCard(
    name="paint",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 10, 20, 30, 45), (0, 0.30, 0.55, 0.75, 1)),
    output="T1w",
    options=(Option(name="grey", help="How bright.", default=0.5, minimum=0, maximum=1),),
)

def load(folder, grey=0.5):
    # Nothing of it could be pickled.
    paint = lambda slices, mask: slices @ np.array([[0.30], [grey], [0.75]], np.float32)
    canvas = Canvas(1.0, size=1, multiple=1)
    return slicewise(paint, CARD, planes=[Plane.AXIAL], canvas=canvas)

def read(path, affine):
    voxels = np.load(path)
    return Volume(voxels, Geometry(voxels.shape, affine))

def open_folder(selection):
    reader = partial(read, affine=np.diag([-1.0, 1.2, 2.0, 1.0]))
    for path in sorted(selection.root.glob("*.npy")):
        yield Subject(path.stem, Scan(path, reader))

@dataclass(frozen=True)
class Export:
    header: bytes

    def __call__(self, volume, path):
        write_atomically(path, self.header + volume.voxels.tobytes())

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="arrays",
        summary="Arrays",
        open=open_folder,
        recognises=lambda path: any(path.glob("*.npy")),
    )

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="painter",
        summary="Paints",
        card=lambda folder: CARD,
        load=load,
        shipped={"paint": Path(__file__).parent},
    )

@hookimpl
def oasis_gan_exporters():
    yield Exporter(name="raw", summary="Bytes", suffix=".raw", write=Export(b"RAW"))
"""


def run_and_keep(folder: Path, *words: object) -> tuple[Files, bytes]:
    """Run ``oasis-gan run`` in a folder; return its outputs, and the pickle of what it used."""
    command = [sys.executable, "-c", RUN_AND_KEEP, "run", "data", "--out", "out", *map(str, words)]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return outputs(folder), (folder / "job.pickle").read_bytes()


def translate_elsewhere(data: bytes, folder: Path) -> list[str]:
    """Translate what was pickled in another process, and return what it prints."""
    return lines_elsewhere(TRANSLATE, data, folder)


def statuses(lines: list[str]) -> list[str]:
    """Return what became of each subject, of lines that say more."""
    return [line.split()[0] for line in lines]


def outputs(folder: Path) -> Files:
    """Return the outputs and sidecars in a folder's ``out``; the table there is the command's."""
    return {
        name: content for name, content in files(folder / "out").items() if name != "subjects.tsv"
    }


def forget_outputs(folder: Path) -> None:
    """Remove ``out``."""
    (folder / "out").rename(folder / "made by the command")


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """Return a folder with two small heads as NIfTI in its ``data``."""
    (tmp_path / "data").mkdir()
    save_head(tmp_path / "data", "a", 0)
    save_head(tmp_path / "data", "b", 1)
    return tmp_path


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """Return a folder with two arrays in its ``data``, and the plugin file that reads them."""
    (tmp_path / "data").mkdir()
    for seed, name in enumerate("ab"):
        labels = np.random.default_rng(seed).integers(0, 4, (6, 7, 5)).astype(np.uint8)
        np.save(tmp_path / "data" / f"{name}.npy", labels)
    (tmp_path / "mine.py").write_text(PLUGIN)
    return tmp_path


WITH_PLUGIN = (
    "--plugin",
    "mine.py",
    "--model",
    "paint",
    "--exporter",
    "raw",
    "--option",
    "grey=0.6",
)


@pytest.mark.parametrize(
    "reference", [(), ("--like", "data/b_t1.nii.gz", "--like-labels", "data/b_seg.nii.gz")]
)
def test_the_shipped_model_writes_the_same_bytes_in_another_process(
    heads: Path, reference: tuple[str, ...]
) -> None:
    words = ("--dataset", "nifti", "--source-suffix", "_seg", "--precision", "float32", *reference)
    here, data = run_and_keep(heads, *words)
    # The command has loaded the model by then; the other process loads it itself.
    assert len(data) < 20_000
    forget_outputs(heads)
    assert statuses(translate_elsewhere(data, heads)) == ["done", "done"]
    assert outputs(heads) == here
    assert len(here) == 4


def test_reader_model_and_exporter_of_a_plugin_file_write_the_same_bytes_in_another_process(
    arrays: Path,
) -> None:
    here, data = run_and_keep(arrays, *WITH_PLUGIN)
    forget_outputs(arrays)
    assert statuses(translate_elsewhere(data, arrays)) == ["done", "done"]
    assert outputs(arrays) == here
    assert sorted(here) == [
        "a_synthT1w.json",
        "a_synthT1w.raw",
        "b_synthT1w.json",
        "b_synthT1w.raw",
    ]


TWO_SOURCES = ("--plugin", EXAMPLES / "plugins" / "two_sources.py", "--model", "t1-t2-to-flair")


def test_further_sources_that_are_named_give_the_same_bytes_in_another_process(
    heads: Path,
) -> None:
    (heads / "t2").mkdir()
    for seed, name in enumerate("ab", 2):
        save_head(heads / "t2", name, seed)
    words = ("--source-suffix", "_t1.nii.gz", "--source", "t2=t2")
    here, data = run_and_keep(heads, *TWO_SOURCES, *words)
    assert len(here) == 4
    forget_outputs(heads)
    assert statuses(translate_elsewhere(data, heads)) == ["done", "done"]
    assert outputs(heads) == here
    # The other process has read them: one that has changed makes another output.
    shutil.copy(heads / "t2" / "b_t1.nii.gz", heads / "t2" / "a_t1.nii.gz")
    assert statuses(translate_elsewhere(data, heads)) == ["failed", "skipped"]


def test_further_sources_of_a_plugin_file_give_the_same_bytes_in_another_process(
    arrays: Path,
) -> None:
    beside = 'further={"prior": Scan(path.with_suffix(".prior"), reader)}'
    plugin = PLUGIN.replace("Scan(path, reader)", f"Scan(path, reader), {beside}")
    plugin = plugin.replace('{"labels": OASIS}', '{"labels": OASIS, "prior": OASIS}')
    plugin = plugin.replace("[0.75]]", "[0.75], [0.01], [0.02], [0.03]]")
    (arrays / "mine.py").write_text(plugin)
    for name in "ab":
        labels = np.load(arrays / "data" / f"{name}.npy")
        with (arrays / "data" / f"{name}.prior").open("wb") as file:
            np.save(file, 3 - labels)
    here, data = run_and_keep(arrays, *WITH_PLUGIN)
    assert b'"prior"' in here["a_synthT1w.json"]
    forget_outputs(arrays)
    assert statuses(translate_elsewhere(data, arrays)) == ["done", "done"]
    assert outputs(arrays) == here


def test_another_process_skips_what_the_command_has_made(arrays: Path) -> None:
    here, data = run_and_keep(arrays, *WITH_PLUGIN)
    assert statuses(translate_elsewhere(data, arrays)) == ["skipped", "skipped"]
    assert outputs(arrays) == here


def test_a_job_whose_plugin_file_was_changed_is_refused(arrays: Path) -> None:
    _, data = run_and_keep(arrays, *WITH_PLUGIN)
    (arrays / "mine.py").write_text(PLUGIN.replace("0.30]", "0.40]"))
    (line,) = translate_elsewhere(data, arrays)
    assert line.startswith(f"{arrays / 'mine.py'}: expected the plugin file as it was, SHA-256 ")


def refer(plugin: Path, **options: float) -> ModelReference:
    """Return the reference to the model of a plugin file."""
    registry = Registry.discover([plugin])
    trained = registry.trained.get("paint")
    card = trained.kind.card(trained.folder)
    files = [PluginFile.identify(plugin)]
    return ModelReference.of(trained.kind, trained.folder, card, options, files)


def test_a_model_is_loaded_once(arrays: Path) -> None:
    model = refer(arrays / "mine.py")
    assert model.load() is model.load()


def test_a_model_is_loaded_with_its_options_in_another_process(arrays: Path) -> None:
    models = [refer(arrays / "mine.py", grey=grey) for grey in (0.25, 0.75)]
    body = (
        "for model in pickle.load(sys.stdin.buffer):\n"
        "    print(model.load().predict([0, 1, 0], None))"
    )
    assert lines_elsewhere(body, pickle.dumps(models), arrays) == ["[0.25]", "[0.75]"]


def test_a_model_that_was_trained_again_meanwhile_is_refused(arrays: Path) -> None:
    model = replace(refer(arrays / "mine.py"), card_sha256="0" * 64)
    (line,) = lines_elsewhere(LOAD, pickle.dumps(model), arrays)
    assert line.startswith(
        f"{arrays}: expected the model as it was, SHA-256 of its card 000000000000..., found "
    )
    assert "run the command again" in line


def test_an_exporter_that_cannot_be_pickled_is_named(arrays: Path) -> None:
    exporter = Exporter(name="odd", summary="", suffix=".raw", write=lambda volume, path: None)
    job = Job(
        model=refer(arrays / "mine.py"),
        exporter=exporter,
        datatype="float32",
        layout=Layout(arrays),
    )
    with pytest.raises(OasisGanError) as raised:
        pickle.dumps(job)
    line = str(raised.value)
    assert line.startswith("exporter odd: expected a `write` that another process can import")
    assert line.endswith("fix the exporter plugin odd")
    assert "<lambda>" in line
    assert "\n" not in line


def test_a_reader_that_cannot_be_pickled_is_named(arrays: Path) -> None:
    plugin = arrays / "mine.py"
    lambda_reader = PLUGIN.replace("Scan(path, reader)", "Scan(path, lambda path: reader(path))")
    plugin.write_text(lambda_reader)
    command = [sys.executable, "-c", RUN_AND_KEEP, "run", "data", "--out", "out", *WITH_PLUGIN]
    done = subprocess.run(
        command, cwd=arrays, capture_output=True, text=True, timeout=600, check=False
    )
    line = done.stderr.splitlines()[-1]
    assert "expected a reader that another process can import" in line
    assert line.endswith("fix the dataset plugin arrays")
