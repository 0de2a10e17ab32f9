"""Break each rule of the shipped contracts once, and check the message that an author sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from oasis_gan import (
    OASIS,
    Canvas,
    CleanVolume,
    Dataset,
    Exporter,
    Geometry,
    Mask,
    ModelCard,
    ModelKind,
    Percentiles,
    Plane,
    Progress,
    Scan,
    Selection,
    Subject,
    Translation,
    Volume,
    Window,
    ignore_progress,
    plane_option,
    read_nifti,
    slicewise,
    write_atomically,
    write_whole,
)
from oasis_gan.testing import DatasetContract, ExporterContract, ModelContract

pytest_plugins = ["pytester"]
Slices = np.ndarray[Any, np.dtype[np.float32]]
PLANES = (Plane.AXIAL,)
CANVAS = Canvas(1.0, 6, 4)
CARD = ModelCard(
    name="grey",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 1000), (0, 1)),
    output="grey",
    options=(plane_option(PLANES),),
)


def failure(check: Callable[..., object], *arguments: object) -> str:
    """Run one check, which must fail, and return what it says."""
    with pytest.raises(AssertionError) as caught:
        check(DatasetContract(), *arguments)
    return str(caught.value)


def save(path: Path) -> Path:
    nib.save(
        nib.Nifti1Image(
            np.random.default_rng(0).integers(0, 4, (5, 6, 4)).astype(np.uint8), np.eye(4)
        ),
        path,
    )
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in "ab":
        save(tmp_path / f"{name}.nii")
    return tmp_path


def reader(open_: Callable[[Selection], Iterator[Subject]], name: str = "mine") -> Dataset:
    return Dataset(name=name, summary="My files", open=open_, recognises=lambda path: True)


def test_a_reader_in_no_order_is_detected(root: Path) -> None:
    state: list[int] = []

    def subjects(selection: Selection) -> Iterator[Subject]:
        state.append(0)
        for path in sorted(selection.root.iterdir(), reverse=len(state) % 2 == 0):
            yield Subject(path.stem, Scan(path, read_nifti))

    first = list(subjects(Selection(root)))
    check = DatasetContract.test_the_same_subjects_come_in_the_same_order
    assert "sort what it finds" in failure(check, reader(subjects), Selection(root), first)


def test_a_reader_that_reads_while_it_lists_is_detected(root: Path) -> None:
    def read(path: Path) -> Volume:
        return read_nifti(path)

    def subjects(selection: Selection) -> Iterator[Subject]:
        for path in sorted(selection.root.iterdir()):
            volume = read(path)
            yield Subject(f"{path.stem}{volume.voxels.max()}", Scan(path, read))

    scans = [subject.source for subject in subjects(Selection(root))]
    said = failure(
        DatasetContract.test_listing_reads_no_voxels, reader(subjects), Selection(root), scans
    )
    assert "`open` called ['read']" in said


def test_subjects_of_one_name_are_detected(root: Path) -> None:
    subjects = [Subject("brain", Scan(path, read_nifti)) for path in sorted(root.iterdir())]
    assert "['brain']" in failure(DatasetContract.test_names_tell_subjects_apart, subjects)


def test_a_split_that_the_tool_does_not_know_is_detected(root: Path) -> None:
    subjects = [Subject("a", Scan(root / "a.nii", read_nifti), split="training")]
    said = failure(DatasetContract.test_what_it_says_of_a_subject_is_understood, subjects, [])
    assert "split 'training' of a: use one of train, validate, test" in said


def test_labels_that_are_a_name_are_detected(root: Path) -> None:
    scan = Scan(root / "a.nii", read_nifti, labels="oasis")  # type: ignore[arg-type]
    said = failure(DatasetContract.test_what_it_says_of_a_subject_is_understood, [], [scan])
    assert "labels is a str: use a LabelSet" in said


def test_a_target_that_was_asked_for_and_is_missing_is_detected(root: Path) -> None:
    subjects = [Subject("a", Scan(root / "a.nii", read_nifti))]
    said = failure(
        DatasetContract.test_pairs_lie_on_one_grid,
        Selection(root, target_suffix="_t1.nii"),
        subjects,
    )
    assert "a has none: give Subject a target" in said


@pytest.mark.parametrize(
    ("voxels", "affine", "said"),
    [
        (np.ones((2, 2, 2), bool), np.eye(4), "integers or floats"),
        (np.ones((2, 2, 2), complex), np.eye(4), "integers or floats"),
        (np.ones((2, 2)), np.eye(4), "3-D"),
        (np.ones((2, 0, 2)), np.eye(4), "no voxel"),
        (np.ones((2, 2, 2)), np.eye(3), "4x4"),
        (np.ones((2, 2, 2)), np.diag([1, 1, np.nan, 1]), "NaN"),
        (np.ones((2, 2, 2)), np.diag([1, 1, 0, 1]), "spacing"),
        (
            np.ones((2, 2, 2)),
            np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
            "flattens",
        ),
        (np.ones((2, 2, 2)), np.ones((4, 4)), "last row"),
    ],
)
def test_a_volume_that_lies_nowhere_is_detected(
    tmp_path: Path, voxels: np.ndarray[Any, Any], affine: np.ndarray[Any, Any], said: str
) -> None:
    scan = Scan(tmp_path / "a", lambda path: Volume(voxels, Geometry(voxels.shape, affine)))
    assert said in failure(
        DatasetContract.test_every_scan_is_a_volume_with_a_place_in_space, [scan]
    )


def test_a_reader_that_hands_out_its_own_array_is_detected(tmp_path: Path) -> None:
    voxels = np.zeros((2, 2, 2))

    def read(path: Path) -> Volume:
        voxels[0] += 1
        return Volume(voxels, Geometry((2, 2, 2), np.eye(4)))

    assert "second time" in failure(
        DatasetContract.test_a_scan_reads_the_same_twice, [Scan(tmp_path / "a", read)]
    )


def test_a_reader_that_takes_anything_is_detected(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = tmp_path_factory.mktemp("empty")
    greedy = reader(lambda selection: iter(()))
    check = DatasetContract.test_it_recognises_what_it_reads_and_nothing_else
    assert "took an empty folder" in failure(check, greedy, Selection(root), empty)
    assert "`open` accepted an empty folder" in failure(
        DatasetContract.test_an_empty_folder_is_refused, greedy, empty
    )
    check = DatasetContract.test_a_source_that_is_not_there_is_refused
    assert "`open` raised nothing" in failure(check, greedy, Selection(root), empty)


def test_a_reader_that_raises_what_no_user_understands_is_detected(
    root: Path, tmp_path: Path
) -> None:
    def read(path: Path) -> Volume:
        raise KeyError("voxels")

    check = DatasetContract.test_a_file_that_goes_away_is_refused
    assert "raised KeyError ('voxels'): raise OasisGanError or OSError" in failure(
        check, [Scan(root / "a.nii", read)], tmp_path
    )


def test_a_reader_that_fills_up_half_a_file_is_detected(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def read(path: Path) -> Volume:
        voxels = np.zeros((5, 6, 4), np.uint8)
        data = np.frombuffer(path.read_bytes()[352:], np.uint8)
        voxels.reshape(-1)[: len(data)] = data
        return Volume(voxels, Geometry((5, 6, 4), np.eye(4)))

    check = DatasetContract.test_a_file_cut_short_is_refused
    empty = tmp_path_factory.mktemp("empty")
    assert "was read as a volume" in failure(check, [Scan(root / "a.nii", read)], empty)


@pytest.mark.parametrize("name", ["", "two words", "line\nend", 3])
def test_names_that_cannot_be_typed_are_detected(name: str) -> None:
    failure(
        DatasetContract.test_it_can_be_named_and_listed, reader(lambda selection: iter(()), name)
    )


def model_failure(check: str, predict: Callable[[Slices], Slices], card: ModelCard = CARD) -> str:
    """Run one check of a model of slices, which must fail, and return what it says."""
    model = slicewise(lambda slices, mask: predict(slices), card, planes=PLANES, canvas=CANVAS)
    arguments: list[object] = [model]
    if check != "test_the_card_tells_what_the_tool_needs":
        arguments.append(np.random.default_rng(0).uniform(0, 1, (4, 8, 12, 3)).astype(np.float32))
    with pytest.raises(AssertionError) as caught:
        getattr(ModelContract(), check)(*arguments)
    return str(caught.value)


def grey(slices: Slices) -> Slices:
    return np.asarray(slices.mean(axis=-1, keepdims=True))


def spoiling(slices: Slices) -> Slices:
    slices *= 0.5
    return grey(slices)


@pytest.mark.parametrize(
    ("check", "translate", "said"),
    [
        (
            "test_slices_are_answered_in_channels_of_the_target",
            lambda x: x,
            "became (4, 8, 12, 3): return (4, 8, 12, 1)",
        ),
        (
            "test_slices_are_answered_in_channels_of_the_target",
            lambda x: grey(x).astype(float),
            "convert it to float32",
        ),
        ("test_slices_are_answered_between_0_and_1", lambda x: grey(x) * 2 - 1, "x / 2 + 0.5"),
        ("test_slices_are_answered_between_0_and_1", lambda x: grey(x) * np.float32(np.nan), "NaN"),
        ("test_slices_stay_as_they_are", spoiling, "changed its input"),
        (
            "test_neighbours_in_the_batch_change_nothing",
            lambda x: grey(x) - grey(x).mean(),
            "batch statistics",
        ),
        (
            "test_neighbours_in_the_batch_change_nothing",
            lambda x: grey(x) * x[0, 0, 0, 0],
            "another order",
        ),
        ("test_a_batch_may_be_one_slice", lambda x: grey(x) / len(x), "by itself"),
    ],
)
def test_a_model_that_breaks_a_promise_is_detected(
    check: str, translate: Callable[[Slices], Slices], said: str
) -> None:
    assert said in model_failure(check, translate)


def test_a_model_whose_answer_depends_on_the_mask_is_detected() -> None:
    def crop(slices: Slices, mask: Mask) -> Slices:
        return grey(slices) * np.float32(mask.mean())

    model = slicewise(crop, CARD, planes=PLANES, canvas=CANVAS)
    batch = np.random.default_rng(0).uniform(0, 1, (4, 8, 12, 3)).astype(np.float32)
    with pytest.raises(AssertionError, match="depends on the mask"):
        ModelContract().test_pixels_outside_the_mask_change_nothing_inside(model, batch)


SHAPE = (4, 5, 6)
SOURCE = CleanVolume(np.full(SHAPE, 2, np.int32), Geometry(SHAPE, np.eye(4)), content="labels")


class VolumeModel:
    """A model of volumes that answers as a test says."""

    card = CARD

    def __init__(self, answer: Callable[[CleanVolume], Any]) -> None:
        self._answer = answer

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Answer, and say that it is done."""
        answer: Translation = self._answer(sources["labels"])
        progress(1.0)
        return answer


def paint_volume(source: CleanVolume) -> Translation:
    """Paint everything in one grey."""
    return Translation(volume=Volume(np.full(SHAPE, 500, np.float32), source.geometry))


def shift(source: CleanVolume) -> Translation:
    return Translation(volume=Volume(source.voxels, Geometry(SHAPE, np.diag([1, 1, 2, 1.0]))))


def overwrite(source: CleanVolume) -> Translation:
    source.voxels[0] = 0
    return paint_volume(source)


def roll_dice(source: CleanVolume) -> Translation:
    return Translation(volume=Volume(np.random.default_rng().uniform(0, 9, SHAPE), source.geometry))


def lose(source: CleanVolume) -> Translation:
    return Translation(volume=Volume(np.full(SHAPE, np.nan), source.geometry))


@pytest.mark.parametrize(
    ("check", "answer", "said"),
    [
        (
            "test_the_answer_lies_on_the_grid_of_the_first_source",
            lambda source: source,
            "return Translation(volume)",
        ),
        (
            "test_the_answer_lies_on_the_grid_of_the_first_source",
            shift,
            "the affine is another one",
        ),
        ("test_the_answer_holds_values_of_the_target", lose, "the answer holds NaN"),
        ("test_the_sources_stay_as_they_are", overwrite, "changed its source labels"),
        ("test_the_same_sources_give_the_same_answer_again", roll_dice, "asked twice"),
    ],
)
def test_a_model_of_volumes_that_breaks_a_promise_is_detected(
    check: str, answer: Callable[[CleanVolume], Any], said: str
) -> None:
    source = replace(SOURCE, voxels=SOURCE.voxels.copy())
    with pytest.raises(AssertionError) as caught:
        getattr(ModelContract(), check)(VolumeModel(answer), {"labels": source})
    assert said in str(caught.value)


@pytest.mark.parametrize("fractions", [(0.5, 0.4), (0.5, 1.5), (-0.1, 1)])
def test_a_progress_that_goes_astray_is_detected(fractions: tuple[float, ...]) -> None:
    class Hasty(VolumeModel):
        def translate(
            self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
        ) -> Translation:
            for fraction in fractions:
                progress(fraction)
            return paint_volume(sources["labels"])

    with pytest.raises(AssertionError, match="the progress"):
        ModelContract().test_the_progress_goes_from_0_to_1(Hasty(paint_volume), {"labels": SOURCE})


def test_a_model_that_divides_by_nothing_is_detected() -> None:
    with np.errstate(invalid="ignore"):
        said = model_failure("test_empty_slices_give_finite_answers", lambda x: grey(x) / x.max())
    assert "empty slices" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"output": "../T1w"},
        {"sources": {}},
        {"sources": OASIS},
        {"sources": {"labels": None}},
        {"sources": {"two words": OASIS}},
        {"target": Percentiles()},
        {"target": None},
        {"options": ("plane",)},
        {"options": (plane_option(PLANES), plane_option(PLANES))},
        {"weights_sha256": "yes"},
        {"name": "my model"},
    ],
)
def test_a_card_that_misleads_the_tool_is_detected(changes: dict[str, Any]) -> None:
    model_failure("test_the_card_tells_what_the_tool_needs", grey, replace(CARD, **changes))


def test_a_kind_whose_load_does_not_take_its_options_is_detected(tmp_path: Path) -> None:
    kind = ModelKind(
        name="mine",
        summary="My models",
        card=lambda folder: CARD,
        load=lambda folder: VolumeModel(shift),
    )
    with pytest.raises(AssertionError, match=r"load\(folder, plane=\.\.\.\) is not possible"):
        ModelContract().test_load_takes_the_options_of_the_card(kind, tmp_path)


def exporter_failure(
    check: str, write: Callable[[Volume, Path], object], folder: Path, *more: object
) -> str:
    """Run one check of an exporter, which must fail, and return what it says."""
    exporter = Exporter(
        name="mine",
        summary="My files",
        suffix=".nii",
        write=write,  # type: ignore[arg-type]
    )
    with pytest.raises(AssertionError) as caught:
        getattr(ExporterContract(), check)(exporter, folder, *more)
    return str(caught.value)


def test_an_exporter_that_leaves_half_a_file_is_detected(tmp_path: Path) -> None:
    def write(volume: Volume, path: Path) -> None:
        path.write_bytes(volume.voxels.tobytes())

    assert "write_atomically" in exporter_failure(
        "test_a_full_disk_leaves_nothing", write, tmp_path
    )
    assert "damaged" in exporter_failure("test_a_full_disk_leaves_the_old_file", write, tmp_path)


def test_an_exporter_that_fails_in_silence_is_detected(tmp_path: Path) -> None:
    def write(volume: Volume, path: Path) -> None:
        try:
            write_atomically(path, volume.voxels.tobytes())
        except OSError:
            return

    assert "`write` raised nothing" in exporter_failure(
        "test_a_full_disk_leaves_nothing", write, tmp_path
    )
    assert "do not make it anew" in exporter_failure(
        "test_a_folder_that_is_not_there_is_an_error", write, tmp_path
    )


def test_a_library_that_does_not_report_a_full_disk_is_named_as_the_cause(tmp_path: Path) -> None:
    def write(volume: Volume, path: Path) -> None:
        with write_whole(path) as temporary:
            itk.WriteImage(itk.GetImageFromArray(volume.voxels), str(temporary))

    itk = pytest.importorskip("SimpleITK")
    for check in ("test_a_full_disk_leaves_nothing", "test_a_full_disk_leaves_the_old_file"):
        (tmp_path / check).mkdir()
        said = exporter_failure(check, write, tmp_path / check)
        said_of_disk = "the disk was full, and `write` raised nothing: "
        assert f"{said_of_disk}the library that writes does not report it" in said
        assert "read the file back, compare" in said


def test_an_exporter_that_chooses_its_own_name_is_detected(tmp_path: Path) -> None:
    def write(volume: Volume, path: Path) -> None:
        path.with_suffix(".raw").write_bytes(volume.voxels.tobytes())

    said = exporter_failure(
        "test_one_file_is_written_under_the_name_asked_for", write, tmp_path, "a"
    )
    assert "there is ['a.raw']" in said


def test_an_exporter_that_leaves_something_beside_it_is_detected(tmp_path: Path) -> None:
    def write(volume: Volume, path: Path) -> None:
        path.write_bytes(volume.voxels.tobytes())
        path.with_suffix(".tmp").touch()

    said = exporter_failure(
        "test_one_file_is_written_under_the_name_asked_for", write, tmp_path, "a"
    )
    assert "['a.tmp']" in said


def test_an_exporter_that_keeps_the_old_file_is_detected(tmp_path: Path) -> None:
    def write(volume: Volume, path: Path) -> None:
        if not path.exists():
            path.write_bytes(volume.voxels.tobytes())

    assert "replace it" in exporter_failure("test_an_old_file_gives_way", write, tmp_path)


def test_an_exporter_that_changes_the_volume_is_detected(tmp_path: Path) -> None:
    def write(volume: Volume, path: Path) -> None:
        np.subtract(volume.voxels, 1, out=volume.voxels)

    volume = Volume(np.ones((2, 2, 2)), Geometry((2, 2, 2), np.eye(4)))
    assert "work on a copy" in exporter_failure(
        "test_the_volume_stays_as_it_is", write, tmp_path, volume
    )


@pytest.mark.parametrize(
    ("flip", "affine", "said"),
    [(-1, np.eye(4), "other voxels"), (1, np.diag([1, 1, 1.1, 1]), "mm away")],
)
@pytest.mark.parametrize("check", ["test_nibabel_reads_it_back", "test_itk_reads_it_back"])
def test_an_exporter_that_moves_voxels_is_detected(
    tmp_path: Path, check: str, flip: int, affine: np.ndarray[Any, Any], said: str
) -> None:
    def write(volume: Volume, path: Path) -> None:
        nib.save(nib.Nifti1Image(volume.voxels[::flip], affine), path)

    voxels = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    volume = Volume(voxels, Geometry((3, 4, 5), np.eye(4)))
    assert said in exporter_failure(check, write, tmp_path, volume)


def test_forgotten_fixtures_are_asked_for(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from oasis_gan.testing import DatasetContract, ExporterContract, ModelContract

        class TestReader(DatasetContract): pass
        class TestModel(ModelContract): pass
        class TestWriter(ExporterContract): pass
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    assert not result.parseoutcomes().get("passed")
    for fixture in ("dataset", "selection", "kind", "exporter"):
        result.stdout.fnmatch_lines([f"*give*fixture*`{fixture}`*"])
