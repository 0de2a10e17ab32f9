"""A plugin that raises anything at all fails its own subject, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan
from pydantic import BaseModel, PlainSerializer
from pydantic_core import PydanticSerializationError

from oasis_gan.errors import OasisGanError, one_line, printable
from oasis_gan.plugin.foreign import foreign_code

WAYS_OUT = {
    "leaves": "sys.exit(0)",
    "leaves with a status": "sys.exit(5)",
    "closes a generator": "raise GeneratorExit",
    "an exception of its own": "raise Own('no')",
    "interrupts": "raise KeyboardInterrupt",
    "no text": "raise Mute()",
    "a text that exits": "raise Leaving()",
    "an odd OSError": "raise OSError('not', 'a number')",
    "memory": "raise MemoryError",
    "returns nothing": "return None",
}
READER = """
import sys
import numpy as np
from oasis_gan import Dataset, Geometry, Scan, Subject, Volume, hookimpl

class Own(BaseException):
    pass

class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")

class Leaving(Exception):
    def __str__(self):
        sys.exit(0)

def read(path):
    if path.stem == "b":
        WAY
    return Volume(np.ones((4, 5, 6), np.uint8), Geometry((4, 5, 6), np.eye(4)))

def subjects(selection):
    for path in sorted(selection.root.glob("*.odd")):
        yield Subject(path.stem, Scan(path, read))

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="odd",
        summary="Reads anything",
        open=subjects,
        recognises=lambda path: any(path.glob("*.odd")),
    )
"""


def one_failed(status: dict[str, list[str]]) -> bool:
    return [status[name][0] for name in "abc"] == ["done", "failed", "done"]


def rows(out: Path) -> dict[str, list[str]]:
    lines = (out / "subjects.tsv").read_text().splitlines()[1:]
    return {line.split("\t")[0]: line.split("\t")[1:] for line in lines}


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a folder of three subjects in a format of its own."""
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.odd").write_text(name)
    return tmp_path / "in"


@pytest.mark.parametrize("way", WAYS_OUT)
def test_any_exception_of_a_reader_fails_its_subject_alone(
    tmp_path: Path, odd: Path, paint: Painting, way: str
) -> None:
    (tmp_path / "odd.py").write_text(READER.replace("WAY", WAYS_OUT[way]))
    process = paint(odd, "--plugin", "odd.py")
    assert process.returncode == 1, process.stderr
    assert "Traceback" not in process.stderr
    status = rows(tmp_path / "out")
    assert one_failed(status)
    assert status["b"][2].isprintable()
    assert process.stdout.split() == ["out/a_synthT1w.nii.gz", "out/c_synthT1w.nii.gz"]
    assert len(process.stderr.splitlines()) == 4


def test_check_rejects_a_subject_whose_reader_exits(tmp_path: Path, odd: Path) -> None:
    (tmp_path / "odd.py").write_text(READER.replace("WAY", "sys.exit(0)"))
    process = oasis_gan("check", odd, "--plugin", "odd.py", "--format", "json", cwd=tmp_path)
    assert process.returncode == 1, process.stderr
    verdicts = {subject["subject"]: subject["verdict"] for subject in json.loads(process.stdout)}
    assert verdicts == {"a": "warn", "b": "reject", "c": "warn"}


BROKEN_SUBJECTS = {
    "no source": "Subject(path.stem, None)",
    "no name": "Subject(None, Scan(path, read))",
    "a path that is text": "Subject(path.stem, Scan(str(path), read))",
    "no reader": "Subject(path.stem, Scan(path, None))",
    "parts that are none": "Subject(path.stem, Scan(path, read, parts=[path]))",
    "a target that is a path": "Subject(path.stem, Scan(path, read), path)",
}


@pytest.mark.parametrize("how", BROKEN_SUBJECTS)
def test_a_subject_of_the_wrong_types_is_one_line(
    tmp_path: Path, odd: Path, paint: Painting, how: str
) -> None:
    subject = "Subject(path.stem, Scan(path, read))"
    sound = f"yield {subject}"
    broken = f"yield {BROKEN_SUBJECTS[how]} if path.stem == 'b' else {subject}"
    (tmp_path / "odd.py").write_text(READER.replace("WAY", "pass").replace(sound, broken))
    process = paint(odd, "--plugin", "odd.py")
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert len(process.stdout.split()) == 2
    (line,) = [
        line
        for line in process.stderr.splitlines()
        if "failed" in line or "expected a Subject" in line
    ]
    assert "fix the plugin" in line


@pytest.mark.parametrize("where", ["subjects", "recognises", "import", "hook"])
def test_a_plugin_that_exits_while_it_lists_is_one_line(
    tmp_path: Path, odd: Path, paint: Painting, where: str
) -> None:
    code = READER.replace("WAY", "pass")
    leaving = {
        "subjects": code.replace(
            "def subjects(selection):\n", "def subjects(selection):\n    sys.exit(0)\n"
        ),
        "recognises": code.replace("lambda path: any", "lambda path: sys.exit(0) or any"),
        "import": code + "sys.exit(0)\n",
        "hook": code.replace(
            "def oasis_gan_datasets():\n", "def oasis_gan_datasets():\n    raise GeneratorExit\n"
        ),
    }
    (tmp_path / "odd.py").write_text(leaving[where])
    process = paint(odd, "--plugin", "odd.py")
    assert process.returncode != 0
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    assert 1 <= len(process.stderr.splitlines()) <= 2


MODEL = """
import sys
from pathlib import Path
import numpy as np
from oasis_gan import (
    OASIS,
    Canvas,
    Exporter,
    ModelCard,
    ModelKind,
    Plane,
    Window,
    hookimpl,
    slicewise,
)

CARD = ModelCard(
    name="m", version="1", sources={"labels": OASIS}, target=Window((0, 1), (0, 1)), output="T1w"
)
calls = []

def leave(slices, mask):
    calls.append(mask)
    if len(calls) == 2:
        sys.exit(0)
    return slices.max(-1, keepdims=True)

def write(volume, path):
    if path.name.startswith("b"):
        sys.exit(0)
    path.write_text("written")

def load(folder):
    LOAD
    return slicewise(leave, CARD, planes=[Plane.AXIAL], canvas=Canvas(1.0, 1, 1))

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="leaver",
        summary="Leaves",
        card=lambda _: CARD,
        load=load,
        shipped={"leaver": Path()},
    )

@hookimpl
def oasis_gan_exporters():
    yield Exporter(name="leaver", summary="Leaves", suffix=".txt", write=write)
"""


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """Return a folder of three label maps of a few slices."""
    (tmp_path / "in").mkdir()
    for name in "abc":
        nib.save(
            nib.Nifti1Image(np.ones((6, 5, 4), np.uint8), np.eye(4)), tmp_path / f"in/{name}.nii"
        )
    return tmp_path / "in"


def test_a_model_that_exits_fails_its_subject_alone(tmp_path: Path, volumes: Path) -> None:
    (tmp_path / "leaver.py").write_text(MODEL.replace("LOAD", "pass"))
    process = oasis_gan(
        "run", volumes, "--plugin", "leaver.py", "--model", "leaver", "--out", "out", cwd=tmp_path
    )
    assert process.returncode == 1, process.stderr
    assert one_failed(rows(tmp_path / "out"))


def test_an_exporter_that_exits_fails_its_subject_alone(
    tmp_path: Path, volumes: Path, paint: Painting
) -> None:
    (tmp_path / "leaver.py").write_text(MODEL.replace("LOAD", "pass"))
    process = paint(volumes, "--plugin", "leaver.py", "--exporter", "leaver")
    assert process.returncode == 1, process.stderr
    assert one_failed(rows(tmp_path / "out"))


def test_a_model_that_exits_when_it_is_loaded_is_one_line(tmp_path: Path, volumes: Path) -> None:
    (tmp_path / "leaver.py").write_text(MODEL.replace("LOAD", "sys.exit(0)"))
    process = oasis_gan(
        "run", volumes, "--plugin", "leaver.py", "--model", "leaver", "--out", "out", cwd=tmp_path
    )
    assert process.returncode == 2
    assert "SystemExit" in process.stderr
    assert "Traceback" not in process.stderr


def test_an_interruption_by_the_user_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt), foreign_code("here"):
        raise KeyboardInterrupt


def test_an_interruption_of_which_a_library_made_an_error_goes_through() -> None:
    """Compiled code that calls back into Python may wrap what the call raises."""

    def interrupt(value: object) -> str:
        raise KeyboardInterrupt

    class Recipe(BaseModel):
        steps: Annotated[int, PlainSerializer(interrupt)] = 1

    with pytest.raises(PydanticSerializationError):
        Recipe().model_dump()
    with pytest.raises(KeyboardInterrupt), foreign_code("here"):
        Recipe().model_dump()


def test_an_error_after_an_interruption_that_was_dealt_with_stays_an_error() -> None:
    with pytest.raises(ValueError, match="mine"), foreign_code("here"):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise ValueError("mine") from None


def test_an_object_without_a_text_is_shown_by_its_type() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise SystemExit(0)

    assert one_line(MuteError()) == "MuteError: a MuteError that cannot be shown"
    assert printable(MuteError()) == "a MuteError that cannot be shown"
    assert "a MuteError" in str(OasisGanError(MuteError(), expected="a", found="b", remedy="c"))
