"""Training slices are made once, kept in a folder, and read from there bit for bit."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kit.heads import save_head
from kit.places import TESTS
from kit.tiny_training import SHAPE, head, subject
from numpy.typing import NDArray
from oasis_gan_keras import PairedSlices, TrainingSettings, parse_settings
from oasis_gan_keras.slice_cache import SliceCache

from oasis_gan import (
    FREESURFER_APARC,
    Geometry,
    OasisGanError,
    Scan,
    Subject,
    Volume,
    volume_scan,
)

TINY: dict[str, Any] = {"size": 16, "batch": 3}
ROTATED = np.array(
    [
        [0.0, 0.0, 1.0, 3.0],
        [-1.0, 0.0, 0.0, 2.0],
        [0.0, 1.0, 0.0, 1.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
OBLONG = np.diag([0.9, -1.0, 1.2, 1.0])
LIVELY = {"shift": 3, "zoom": 0.3, "rotate": 30, "flip": True, "intensity": 0.4}
PARCELS = np.array([0, 2, 1003, 2035], np.int32)
RECIPES: dict[str, dict[str, Any]] = {
    "labels to image": {},
    "resolutions": {"resolutions": [2.0, 3.0]},
    "neighbours": {"context": 1, "resolutions": [2.0]},
    "augmentation": {"augmentation": LIVELY},
    "image to labels": {"source": "image", "target": "labels", "augmentation": LIVELY},
    "two sources": {"sources": {"tissues": "labels", "t2": "image"}, "context": 1},
    "labels above 255": {"labels": FREESURFER_APARC},
    "histogram": {"histogram": {"strength": 0.5}, "sharpness": 1.4},
}
LABELS, IMAGE = head()


def place(given: Subject, affine: NDArray[np.float64]) -> Subject:
    """Return a subject whose voxels lie elsewhere."""

    def turn(scan: Scan) -> Scan:
        geometry = Geometry(SHAPE, affine)
        volume = Volume(scan.read().voxels, geometry)
        return Scan(scan.path, lambda _: volume)

    target = given.target
    assert target is not None
    further = {name: turn(scan) for name, scan in given.further.items()}
    return Subject(given.name, turn(given.source), turn(target), further=further)


def make_subjects(recipe: str) -> list[Subject]:
    """Return subjects that suit a recipe."""
    labels = PARCELS[LABELS] if recipe == "labels above 255" else LABELS
    source, target = (IMAGE, labels) if recipe == "image to labels" else (labels, IMAGE)
    straight = subject("a", source, target)
    if recipe == "two sources":
        straight = subject("a", source, target, t2=(100 - IMAGE) * (LABELS > 0))
    return [straight, place(straight, ROTATED), place(straight, OBLONG)]


def save_subject(folder: Path, name: str, seed: int = 0) -> Subject:
    """Write the files of a subject, and return it."""
    folder.mkdir(exist_ok=True)
    save_head(folder, name, seed)
    source, target = (volume_scan(folder / f"{name}_{which}.nii.gz") for which in ("seg", "t1"))
    return Subject(name, source, target)


def open_pairs(
    folder: Path,
    subjects: list[Subject],
    lines: list[str] | None = None,
    **recipe: Any,  # noqa: ANN401
) -> PairedSlices:
    """Return the slices of subjects, which are kept in a folder."""
    report = pytest.fail if lines is None else lines.append
    cache = SliceCache(folder, report, len(subjects))
    settings = parse_settings(TrainingSettings, {**TINY, **recipe})
    return PairedSlices(subjects, settings, report, store=cache.find_or_make)


def draw(pairs: PairedSlices) -> list[NDArray[np.float32]]:
    """Return what some updates see."""
    batches = [pairs.batch(step) for step in (0, 1, len(pairs) // 2, 1000)]
    return [array for batch in (*batches, pairs.sample()) for array in batch]


def require_equal(found: PairedSlices, expected: PairedSlices) -> None:
    assert len(found) == len(expected)
    assert found.windows == expected.windows
    assert found.histogram == expected.histogram
    for array, other in zip(draw(found), draw(expected), strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("recipe", RECIPES)
def test_slices_from_a_cache_are_those_that_were_put_there(recipe: str, tmp_path: Path) -> None:
    subjects = make_subjects(recipe)
    settings = parse_settings(TrainingSettings, {**TINY, **RECIPES[recipe]})
    expected = PairedSlices(subjects, settings, pytest.fail)
    for _ in ("made", "found"):
        require_equal(open_pairs(tmp_path, subjects, **RECIPES[recipe]), expected)
    assert len(list(tmp_path.iterdir())) == len(subjects)


DIGESTS = {
    "labels to image": "c141730046964db0",
    "neighbours": "fecf049958b0088b",
    "image to labels": "c7f455175c163981",
    "two sources": "8f5b390b22474bf0",
    "labels above 255": "fe75c55f3f94cfdb",
    "histogram": "3c5c41c272cb98ed",
}
"""What updates saw when all slices lay in memory, where no pixel is interpolated."""


@pytest.mark.parametrize("recipe", DIGESTS)
def test_updates_see_what_they_saw_before_there_was_a_cache(recipe: str, tmp_path: Path) -> None:
    subjects = make_subjects(recipe)[:2]
    changed = {**RECIPES[recipe], "augmentation": {"shift": 2}, "resolutions": []}
    pairs = open_pairs(tmp_path, subjects, **changed)
    digest = hashlib.sha256()
    for array in draw(pairs):
        digest.update(np.ascontiguousarray(array).data)
    assert digest.hexdigest()[:16] == DIGESTS[recipe]


READ: list[Path] = []


def read_and_remember(path: Path, grey: float) -> Volume:
    """Return a head, and remember that it was read."""
    READ.append(path)
    voxels = LABELS if "seg" in path.name else IMAGE * grey
    return Volume(voxels, Geometry(SHAPE, np.eye(4)))


def make_remembered(folder: Path, grey: float = 1.0) -> Subject:
    """Return a subject whose reader remembers what it has read."""
    scans = []
    for name in ("seg.bin", "t1.bin"):
        path = folder / name
        path.write_bytes(name.encode())
        scans.append(Scan(path, partial(read_and_remember, grey=grey)))
    return Subject("a", scans[0], scans[1])


def count_reads(folder: Path, given: Subject, **recipe: Any) -> int:  # noqa: ANN401
    """Return how many volumes are read to open a subject with a cache."""
    READ.clear()
    open_pairs(folder, [given], **recipe)
    return len(READ)


def test_a_subject_is_read_only_once(tmp_path: Path) -> None:
    given = make_remembered(tmp_path)
    cache = tmp_path / "cache"
    assert count_reads(cache, given) == 2
    assert count_reads(cache, given) == 0


def test_a_subject_that_was_moved_and_renamed_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    cache = tmp_path / "cache"
    assert count_reads(cache, make_remembered(tmp_path / "before")) == 2
    (tmp_path / "before").rename(tmp_path / "after")
    assert count_reads(cache, make_remembered(tmp_path / "after")) == 0


def test_other_content_and_another_reader_make_other_slices(tmp_path: Path) -> None:
    given = make_remembered(tmp_path)
    cache = tmp_path / "cache"
    count_reads(cache, given)
    given.source.path.write_bytes(b"another head")
    assert count_reads(cache, given) == 2
    assert count_reads(cache, make_remembered(tmp_path, grey=2.0)) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"contrast": "robust"},
        {"sharpness": 1.4},
        {"planes": ["coronal", "axial"]},
        {"resolutions": [2.0]},
        {"histogram": {"strength": 0.5}},
        {"labels": FREESURFER_APARC, "contrast": "robust"},
        {"source": "image"},
    ],
    ids=str,
)
def test_settings_that_change_the_slices_make_other_slices(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    given = make_remembered(tmp_path)
    cache = tmp_path / "cache"
    count_reads(cache, given)
    READ.clear()
    # A recipe may refuse the head, but only after it has read it.
    with suppress(OasisGanError):
        open_pairs(cache, [given], [], **changed)
    assert len(READ) == 2


def test_settings_that_do_not_change_the_slices_share_them(tmp_path: Path) -> None:
    given = make_remembered(tmp_path)
    cache = tmp_path / "cache"
    count_reads(cache, given)
    recipe = {"size": 32, "spacing": 1.5, "context": 2, "augmentation": LIVELY, "seed": 3}
    assert count_reads(cache, given, **recipe) == 0


def damage_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def replace_by_text(path: Path) -> None:
    path.write_text("not slices at all\n" * 100)


@pytest.mark.parametrize("harm", [damage_a_byte, truncate, empty, replace_by_text])
def test_a_damaged_file_is_named_and_made_again(harm: Any, tmp_path: Path) -> None:  # noqa: ANN401
    subjects = [subject("a", LABELS, IMAGE)]
    expected = open_pairs(tmp_path, subjects)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    harm(path)
    lines: list[str] = []
    found = open_pairs(tmp_path, subjects, lines)
    (line,) = lines
    assert line.startswith(f"{path}: expected the training slices of a subject, found ")
    assert line.endswith("; they are made again")
    require_equal(found, expected)
    assert path.read_bytes() == before


def test_the_file_of_another_subject_is_not_mistaken_for_that_of_this_one(tmp_path: Path) -> None:
    mine = [subject("a", LABELS, IMAGE)]
    expected = open_pairs(tmp_path / "mine", mine)
    (path,) = (tmp_path / "mine").iterdir()
    open_pairs(tmp_path / "other", [subject("b", *head(1))])
    (other,) = (tmp_path / "other").iterdir()
    shutil.copy(other, path)
    lines: list[str] = []
    require_equal(open_pairs(tmp_path / "mine", mine, lines), expected)
    (line,) = lines
    assert "found those of other volumes; they are made again" in line


def test_slices_that_are_lost_during_a_training_are_named(tmp_path: Path) -> None:
    pairs = open_pairs(tmp_path, [subject("a", LABELS, IMAGE)])
    (path,) = tmp_path.iterdir()
    path.unlink()
    with pytest.raises(OasisGanError, match="resume the training: it makes them again") as caught:
        pairs.batch(0)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_disk_without_room_is_named_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    heads = [subject(f"s{seed}", *head(seed)) for seed in range(8)]
    with pytest.raises(OasisGanError) as caught:
        open_pairs(tmp_path / "cache", heads)
    assert re.fullmatch(
        rf"{tmp_path}/cache: expected room for the training slices of all subjects, \S+ GB, "
        r"found 0\.0 GB; free some room, or name a folder on another disk as `cache`",
        str(caught.value),
    )


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from kit.tiny_training import head, subject
from oasis_gan_keras import PairedSlices, TrainingSettings
from oasis_gan_keras.slice_cache import SliceCache
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
cache = SliceCache(Path("cache"), print, 1)
try:
    PairedSlices([subject("a", *head())], TrainingSettings(), print, store=cache.find_or_make)
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_file_that_cannot_be_written_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    words = [sys.executable, "-c", FULL_DISK.format(tests=str(TESTS))]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.splitlines() == [
        "CacheWriteError cache: expected room and permission to write training slices, found File "
        "too large; free some room, or name a folder on another disk as `cache`"
    ], done.stderr
    assert list((tmp_path / "cache").iterdir()) == []


SHARE = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from oasis_gan import Subject, volume_scan
from oasis_gan_keras import PairedSlices, TrainingSettings
from oasis_gan_keras.slice_cache import SliceCache
subjects = []
for path in sorted(Path("heads").glob("*_seg.nii.gz")):
    target = path.with_name(path.name.replace("seg", "t1"))
    subjects.append(Subject(path.name, volume_scan(path), volume_scan(target)))
print("ready", flush=True)
sys.stdin.readline()
cache = SliceCache(Path("cache"), print, len(subjects))
settings = TrainingSettings(size=16, batch=3)
first = int(sys.argv[1])
pairs = PairedSlices(subjects, settings, print, store=cache.find_or_make, first=first)
digest = hashlib.sha256()
for step in range(20):
    for array in pairs.batch(step):
        digest.update(array.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("first", [0, 3], ids=["in the same order", "from the middle on"])
def test_two_processes_can_fill_a_cache_at_the_same_time(tmp_path: Path, first: int) -> None:
    for seed in range(6):
        save_subject(tmp_path / "heads", f"s{seed}", seed)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SHARE.format(tests=str(TESTS)), number],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in ("0", str(first))
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    answers = [process.communicate("\n", timeout=300)[0] for process in started]
    assert answers[0] == answers[1]
    assert re.fullmatch(r"[0-9a-f]{64}\n", answers[0])
    endings = [path.suffix for path in (tmp_path / "cache").iterdir()]
    assert endings == [".slices"] * 6


def test_a_cache_removes_nothing_but_its_own_files(tmp_path: Path) -> None:
    open_pairs(tmp_path / "own", [subject("a", LABELS, IMAGE)])
    SliceCache(tmp_path / "own", pytest.fail, 1).remove()
    assert not (tmp_path / "own").exists()
    open_pairs(tmp_path / "mixed", [subject("a", LABELS, IMAGE)])
    (tmp_path / "mixed" / "notes.txt").write_text("mine")
    SliceCache(tmp_path / "mixed", pytest.fail, 1).remove()
    assert [path.name for path in (tmp_path / "mixed").iterdir()] == ["notes.txt"]


def test_memory_does_not_grow_with_the_slices(tmp_path: Path) -> None:
    def measure(**recipe: Any) -> int:  # noqa: ANN401
        tracemalloc.start()
        pairs = open_pairs(tmp_path, [subject("a", LABELS, IMAGE)], **recipe)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(pairs)
        return held

    measure()
    # The volumes take 30 kB, and their slices three times as much.
    assert measure() < 20_000
