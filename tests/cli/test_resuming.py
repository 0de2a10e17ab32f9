"""A training can be resumed from any folder, and with data that have moved."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kit.heads import PAIRS, files, save_head
from kit.tool import TINY_NETWORKS, oasis_gan

from oasis_gan import OasisGanError
from oasis_gan.cli.main import cli
from oasis_gan.cli.training_folder import relocate

RECIPE = "steps = 2\n" + TINY_NETWORKS
BRINGS_A_MODEL = """
from pathlib import Path
from dataclasses import replace
from oasis_gan import ModelKind, hookimpl
from oasis_gan_pix2pix import card, load


@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="other",
        summary="Brings a model",
        card=card,
        load=load,
        shipped={{"mine": Path({folder!r})}},
    )
"""


def train(*words: object) -> tuple[str, str]:
    """Return what `oasis-gan train` prints and says; raise what it raises."""
    result = CliRunner().invoke(cli, ["train", *map(str, words)], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.stdout, result.stderr


def refusal(*words: object) -> str:
    """Return the line with which `oasis-gan train` refuses."""
    with pytest.raises(OasisGanError) as caught:
        train(*words)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with three heads and a training of two steps, with relative paths."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "heads").mkdir()
    for seed, name in enumerate(("one", "two", "three")):
        save_head(folder / "heads", name, seed)
    (folder / "tiny.toml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train("heads", *PAIRS, "--recipe", "tiny.toml", "--validate", "two", "--out", "out/rel")
    return folder


@pytest.fixture
def place(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of that folder, whose data are where they were, in which the test runs."""
    shutil.copytree(trained, tmp_path / "place")
    for name in ("run.json", "split.tsv"):
        path = tmp_path / "place" / "out" / "rel" / name
        path.write_text(path.read_text().replace(str(trained), str(tmp_path / "place")))
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def test_a_training_with_a_relative_source_is_resumed_in_the_same_folder(place: Path) -> None:
    printed, _ = train("--resume", "out/rel", "--set", "steps=3")
    assert printed.strip() == "out/rel"
    assert json.loads((place / "out/rel/model.json").read_text())["training"]["step"] == 3


def test_a_training_is_resumed_from_another_folder(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train("--resume", "place/out/rel", "--set", "steps=3")
    assert json.loads((place / "out/rel/model.json").read_text())["training"]["step"] == 3


def test_a_training_in_a_moved_folder_is_resumed(place: Path) -> None:
    (place / "out/rel").rename(place / "elsewhere")
    train("--resume", "elsewhere", "--set", "steps=3")
    assert json.loads((place / "elsewhere/model.json").read_text())["training"]["step"] == 3


def test_data_that_were_moved_are_asked_for_and_named_with_source(place: Path) -> None:
    (place / "heads").rename(place / "moved")
    before = files(place / "out/rel")
    said = refusal("--resume", "out/rel", "--set", "steps=3")
    assert "expected the data that this training learns from, found nothing at" in said
    assert "say where they lie now: --source DIR" in said
    assert files(place / "out/rel") == before
    train("--resume", "out/rel", "--source", "moved", "--set", "steps=3")
    assert str(place / "moved" / "one_seg.nii.gz") in (place / "out/rel/split.tsv").read_text()
    # From now on they are found there.
    train("--resume", "out/rel", "--set", "steps=4")


def test_targets_in_a_separate_folder_may_have_moved_too(place: Path) -> None:
    for folder, suffix in (("labels", "_seg.nii.gz"), ("images", "_t1.nii.gz")):
        (place / folder).mkdir()
        for path in (place / "heads").glob(f"*{suffix}"):
            path.rename(place / folder / path.name.replace(suffix, ".nii.gz"))
    train("labels", "--target", "images", "--recipe", "tiny.toml", "--out", "m")
    (place / "images").rename(place / "scans")
    said = refusal("--resume", "m", "--set", "steps=3")
    assert "expected the targets that this training learns from, found nothing at" in said
    train("--resume", "m", "--target", "scans", "--set", "steps=3")
    (place / "labels").rename(place / "maps")
    train("--resume", "m", "--source", "maps", "--set", "steps=4")


def test_a_table_of_labels_is_found_from_another_folder_and_may_move(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "mine.tsv").write_text("index\ttissue\n1\tCSF\n2\tGM\n3\tWM\n")
    train("heads", *PAIRS, "--labels", "mine.tsv", "--recipe", "tiny.toml", "--out", "m")
    monkeypatch.chdir(tmp_path)
    train("--resume", "place/m", "--set", "steps=3")
    (place / "mine.tsv").rename(place / "yours.tsv")
    assert "mine.tsv" in refusal("--resume", "place/m", "--set", "steps=4")
    train("--resume", "place/m", "--set", "steps=4", "--labels", "place/yours.tsv")


def test_the_meaning_of_labels_cannot_change_on_resuming(place: Path) -> None:
    assert "found --labels; leave it out" in refusal(
        "--resume", "out/rel", "--labels", "freesurfer"
    )


def remove(place: Path) -> None:
    (place / "heads/three_seg.nii.gz").unlink()


def remove_all_but_the_held_out(place: Path) -> None:
    remove(place)
    (place / "heads/one_seg.nii.gz").unlink()


def remove_the_held_out(place: Path) -> None:
    (place / "heads/two_seg.nii.gz").unlink()


def add(place: Path) -> None:
    save_head(place / "heads", "four", 4)


def change_a_target(place: Path) -> None:
    save_head(place / "heads", "other", 5)
    (place / "heads/other_t1.nii.gz").rename(place / "heads/one_t1.nii.gz")
    (place / "heads/other_seg.nii.gz").unlink()


def damage(place: Path) -> None:
    path = place / "heads/three_seg.nii.gz"
    path.write_bytes(path.read_bytes()[:-50])


def rename(place: Path) -> None:
    for suffix in ("seg", "t1"):
        (place / f"heads/one_{suffix}.nii.gz").rename(place / f"heads/uno_{suffix}.nii.gz")


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (remove, "found three missing;"),
        (remove_all_but_the_held_out, "found one, three missing;"),
        (remove_the_held_out, "found two missing;"),
        (add, "found four added;"),
        (change_a_target, "found one changed;"),
        (damage, "found three changed;"),
        (rename, "found one missing; uno added;"),
    ],
)
def test_missing_changed_and_new_subjects_are_named_and_nothing_is_written(
    place: Path,
    alter: Any,  # noqa: ANN401
    said: str,
) -> None:
    alter(place)
    before = files(place / "out/rel")
    line = refusal("--resume", "out/rel", "--set", "steps=3")
    assert "split.tsv: expected the subjects that this training began with, " in line
    assert said in line
    assert files(place / "out/rel") == before


def test_a_subject_that_was_left_out_at_the_beginning_does_not_prevent_resuming(
    place: Path,
) -> None:
    (place / "heads/bad_seg.nii.gz").write_bytes(b"no volume")
    train("--resume", "out/rel", "--set", "steps=3")


@pytest.mark.parametrize(
    "setting", ["generator.filters=8", "loss.l1_weight=50", "steps=x", "stepz=5", "seed=3"]
)
def test_a_setting_that_cannot_change_is_refused_before_anything_is_written(
    place: Path, setting: str
) -> None:
    before = files(place / "out/rel")
    assert "recipe: " in refusal("--resume", "out/rel", "--set", setting)
    assert files(place / "out/rel") == before
    train("--resume", "out/rel", "--set", "steps=3")


def damage_the_checkpoint(folder: Path, old: bytes, new: bytes) -> None:
    """Replace some bytes of the newest checkpoint by as many others."""
    path = max((folder / "checkpoints").iterdir())
    path.write_bytes(path.read_bytes().replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"facts"', b'"fact."', "no metadata"),
        (b'{\\"sums', b'[\\"sums', "damaged metadata"),
    ],
)
def test_settings_are_not_kept_if_the_training_cannot_be_resumed(
    place: Path, old: bytes, new: bytes, said: str
) -> None:
    damage_the_checkpoint(place / "out/rel", old, new)
    before = files(place / "out/rel")
    assert f"expected a whole checkpoint, found {said}; " in refusal(
        "--resume", "out/rel", "--set", "steps=3"
    )
    assert files(place / "out/rel") == before


def test_a_training_that_began_under_earlier_names_of_settings_goes_on(place: Path) -> None:
    path = place / "out/rel/run.json"
    record = json.loads(path.read_text())
    record["recipe"] |= {"keep": 3, "constant": 0.5}
    path.write_text(json.dumps(record))
    _, said = train("--resume", "out/rel", "--set", "steps=3", "--set", "keep_checkpoints=1")
    assert "keep_checkpoints: 3 until step 2, 1 from there on" in said
    assert len(list((place / "out/rel/checkpoints").iterdir())) == 1
    recorded = json.loads(path.read_text())["recipe"]
    assert (recorded["keep_checkpoints"], recorded["decay_start"]) == (1, 0.5)
    assert not {"keep", "constant"} & set(recorded)


def test_a_finished_model_without_checkpoints_is_not_replaced(place: Path) -> None:
    shutil.rmtree(place / "out/rel/checkpoints")
    before = files(place / "out/rel")
    said = "checkpoints: expected a checkpoint to resume from, found none beside the model; "
    assert said in refusal("--resume", "out/rel", "--set", "steps=3")
    assert files(place / "out/rel") == before


@pytest.mark.parametrize(("end", "said"), [(100, "a row of 3 cells"), (None, "no such file")])
def test_a_split_that_is_damaged_or_gone_is_named_in_one_line(
    place: Path, end: int | None, said: str
) -> None:
    path = place / "out/rel/split.tsv"
    content = path.read_bytes()
    path.unlink()
    if end is not None:
        path.write_bytes(content[:end])
    assert "split.tsv: expected a table of subject, side" in (
        line := refusal("--resume", "out/rel")
    )
    assert f"found {said}; restore it" in line


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"kind": "pix2pix", "selection": {"sources": 5}}', "[" * 10**5]
)
def test_a_folder_without_a_training_to_resume_is_refused_in_one_line(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "run.json").write_text(content)
    assert "run.json: expected a training to resume, found " in refusal("--resume", tmp_path)


def test_sources_are_relocated_one_by_one_or_with_the_folder_above_them() -> None:
    old = [Path("/a/heads/one"), Path("/a/heads/two/seg.nii")]
    assert relocate(old, [Path("/b/heads")]) == [Path("/b/heads/one"), Path("/b/heads/two/seg.nii")]
    assert relocate(old, [Path("/x"), Path("/y")]) == [Path("/x"), Path("/y")]
    assert relocate(old[:1], [Path("/z")]) == [Path("/z")]
    with pytest.raises(OasisGanError, match="--source: expected one folder, or as many sources"):
        relocate([*old, Path("/a/three")], [Path("/x"), Path("/y")])


def test_a_start_that_fails_leaves_nothing_that_blocks_the_corrected_command(place: Path) -> None:
    """The suffixes were forgotten: nobody has a target."""
    refusal("heads", "--recipe", "tiny.toml", "--out", "new/m0")
    assert not (place / "new").exists()
    train("heads", *PAIRS, "--recipe", "tiny.toml", "--out", "new/m0")
    assert (place / "new/m0/model.json").exists()


def test_a_folder_without_a_checkpoint_may_be_used_for_a_new_training(place: Path) -> None:
    """As an earlier version, or a crash, leaves it."""
    (place / "m0").mkdir()
    for name in ("run.json", "split.tsv"):
        (place / "m0" / name).write_text("of another training")
    (place / "m0/notes.txt").write_text("mine")
    refusal("heads", "--recipe", "tiny.toml", "--out", "m0")
    assert (place / "m0/notes.txt").read_text() == "mine"
    train("heads", *PAIRS, "--recipe", "tiny.toml", "--out", "m0")
    assert (place / "m0/model.json").exists()


def test_a_new_training_never_replaces_a_model_and_the_message_says_how_to_resume(
    place: Path,
) -> None:
    before = files(place / "out/rel")
    said = refusal("heads", *PAIRS, "--recipe", "tiny.toml", "--out", "out/rel")
    assert "expected a new folder, found one with a training in it" in said
    assert "oasis-gan train --resume out/rel" in said
    assert files(place / "out/rel") == before


def test_a_finished_training_says_how_it_went_and_where_to_look(place: Path) -> None:
    printed, said = train(
        "heads", *PAIRS, "--recipe", "tiny.toml", "--validate", "two", "--out", "m"
    )
    assert printed == "m\n"
    figures = r"held out: L1 0\.\d+, PSNR \d+\.\d\d dB \(best L1 .* at step \d\)"
    assert re.fullmatch(
        f"finished after 2 steps; {figures}; curves: m/curves.png", said.splitlines()[-1]
    )
    training = json.loads((place / "m/model.json").read_text())["training"]
    assert (training["step"], training["steps"], training["finished"]) == (2, 2, True)


def test_resuming_a_finished_training_says_so_and_changes_nothing(
    place: Path,
) -> None:
    before = files(place / "out/rel")
    printed, said = train("--resume", "out/rel")
    assert printed == "out/rel\n"
    assert "already finished after 2 steps; to train further, raise steps" in said
    assert files(place / "out/rel") == before


def test_fewer_steps_than_are_done_are_refused(place: Path) -> None:
    assert "expected at least the 2 steps that are done, found 1" in refusal(
        "--resume", "out/rel", "--set", "steps=1"
    )


def test_a_setting_that_is_changed_on_resuming_is_reported_drawn_and_kept(place: Path) -> None:
    _, said = train("--resume", "out/rel", "--set", "steps=4", "--set", "learning_rate=1e-5")
    assert "learning_rate: 0.0002 until step 2, 1e-05 from there on" in said
    recipe = (place / "out/rel/recipe.toml").read_text()
    assert recipe.startswith("# Not all of these settings held from the first step on:\n")
    assert "# learning_rate: 0.0002 until step 2, 1e-05 from there on\n" in recipe
    assert tomllib.loads(recipe)["learning_rate"] == 1e-5
    changes = json.loads((place / "out/rel/model.json").read_text())["training"]["changes"]
    assert {"step": 2, "setting": "learning_rate", "before": 2e-4, "after": 1e-5} in changes
    # And so it is when the training goes on again, with the new value.
    _, said = train("--resume", "out/rel", "--set", "steps=5")
    assert "learning_rate" not in said
    assert (
        "# learning_rate: 0.0002 until step 2, 1e-05 from there on\n"
        in (place / "out/rel/recipe.toml").read_text()
    )


def test_a_model_whose_training_is_not_finished_says_so_when_it_is_used(place: Path) -> None:
    card = place / "out/rel/model.json"
    content = json.loads(card.read_text())
    content["training"] |= {"step": 2, "steps": 9, "finished": False}
    card.write_text(json.dumps(content))
    done = oasis_gan("run", "heads/one_seg.nii.gz", "--model", "out/rel", "--out", "o", cwd=place)
    assert done.returncode == 0, done.stderr
    assert (
        "warning: out/rel: its training is not finished: trained for 2 of 9 steps"
        in done.stderr.splitlines()
    )
    plugin = place / "brought.py"
    plugin.write_text(BRINGS_A_MODEL.format(folder=str(place / "out/rel")))
    listed = oasis_gan("models", "--plugin", plugin, cwd=place)
    assert (
        "note: model mine: its training is not finished: trained for 2 of 9 steps"
        in listed.stdout.splitlines()
    )
