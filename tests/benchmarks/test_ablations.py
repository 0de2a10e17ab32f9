"""The benchmark of the paper's ablations: rows, segmenter, page, and a row of two steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from ablations import Heads, Scored, Slice, as_tsv, command, main, picture, score_rows, train_row
from ablations_page import PAGE, tables
from click.testing import CliRunner
from experiments import EXPERIMENTS, GROUPS
from kit.tiny_training import TINY, head, subject
from numpy.typing import NDArray
from oasis_gan_pix2pix.recipe import parse_recipe
from scoring import COLUMNS, Head, Score
from segmenter import agreement, segment

from oasis_gan import (
    ANCHORS,
    OASIS,
    Canvas,
    ModelCard,
    OasisGanError,
    Plane,
    SlicewiseTranslator,
    Window,
    slicewise,
)

Scores = tuple[Scored, dict[str, Slice]]
"""What `score_rows` returns."""
PLAIN = Score(0.9, 0.8, 0.7, 0.05, 22.5, 0.85, 0.9, 1.0, 1.0)


def test_rows_are_those_of_the_paper_and_one_more_each_trained_once() -> None:
    listed = [name for group in GROUPS[:3] for _, name, _ in group.rows]
    assert [len(group.rows) for group in GROUPS] == [5, 4, 4, 1]
    assert len(listed) == 13
    assert len(set(listed)) == 10
    assert {*listed, "L1+cGAN-residual"} == {row.name for row in EXPERIMENTS}
    recipes = [parse_recipe(row.recipe("small", None, 0) | {"name": "same"}) for row in EXPERIMENTS]
    assert len({recipe.model_dump_json() for recipe in recipes}) == len(EXPERIMENTS) == 11


@pytest.mark.parametrize(
    ("budget", "levels", "filters", "size"), [("small", 5, 16, 192), ("full", 8, 64, 256)]
)
def test_each_row_changes_the_setting_that_it_is_named_after(
    budget: str, levels: int, filters: int, size: int
) -> None:
    of = {row.name: parse_recipe(row.recipe(budget, None, 3)) for row in EXPERIMENTS}
    assert {recipe.generator.levels for recipe in of.values()} == {levels}
    assert {recipe.discriminator.filters for recipe in of.values()} == {filters}
    assert {(recipe.size, recipe.seed, recipe.generator.full_skip) for recipe in of.values()} == {
        (size, 3, False)
    }
    assert [of[name].loss.objective for name in ("L1", "GAN", "cGAN")] == ["L1", "GAN", "cGAN"]
    assert [
        of[name].discriminator.receptive_field for name in ("1x1", "16x16", "L1+cGAN", "286x286")
    ] == [
        1,
        16,
        70,
        286,
    ]
    assert of["encoder-decoder-L1"].generator.architecture == "encoder-decoder"
    assert {name for name, recipe in of.items() if recipe.discriminator.input == "residual"} == {
        "L1+cGAN-residual"
    }


def test_steps_replace_epochs() -> None:
    row = EXPERIMENTS[0]
    assert parse_recipe(row.recipe("full", None, 0)).epochs == 200
    assert parse_recipe(row.recipe("full", 7, 0)).total_steps(1000) == 7
    assert parse_recipe(row.recipe("small", None, 0)).total_steps(1000) == 300


@pytest.mark.parametrize("scale", [1.0, 0.01, 40.0])
def test_the_segmenter_finds_three_tissues_whatever_the_scale(scale: float) -> None:
    labels, image = head()
    found = segment(image * scale, labels > 0)
    assert not found[labels == 0].any()
    assert agreement(found, labels).per_pixel > 0.98


def test_the_segmenter_is_exact_on_painted_tissues_and_accepts_a_single_grey() -> None:
    labels, _ = head()
    assert agreement(segment(np.array([0, 0.3, 0.55, 0.75])[labels], labels > 0), labels).iou == 1
    assert segment(np.ones(labels.shape), labels > 0).max() <= 3


def test_agreement_is_computed_as_in_the_paper() -> None:
    labels = np.array([0, 1, 1, 2, 2, 3, 3, 3, 3])
    found = np.array([3, 1, 2, 2, 2, 3, 3, 3, 1])
    of = agreement(found, labels)
    assert of.per_pixel == pytest.approx(6 / 8)
    assert of.per_class == pytest.approx((1 / 2 + 1 + 3 / 4) / 3)
    assert of.iou == pytest.approx((1 / 3 + 2 / 3 + 3 / 4) / 3)


def test_the_page_keeps_what_was_written_by_hand() -> None:
    first = PAGE.spliced("old tables", None)
    edited = "A word before.\n\n" + first + "\nThe PixelGAN comes out sharper.\n"
    again = PAGE.spliced("new tables", edited)
    assert again == edited.replace("old tables", "new tables")
    assert PAGE.spliced("new tables", again) == again
    assert PAGE.spliced("tables", "By hand.\n").startswith("By hand.\n\n<!--")


def test_the_tables_show_trained_rows_beside_the_figures_of_the_paper() -> None:
    scores = {
        "real": PLAIN,
        "painted": PLAIN,
        "L1": PLAIN,
        "GAN": Score.mean([PLAIN, Score(*[0.0] * 9)]),
    }
    text = tables(scores, ["seed 0"], command("small", 2, ["L1"]))
    row = "| Real T1 | 0.80, 0.26, 0.21 | 0.900 | 0.800 | 0.700 "
    assert f"{row}| 0.0500 | 22.50 | 0.850 | 0.90 | 1.00 |" in text
    assert "| L1 | 0.42, 0.15, 0.11 |" in text
    assert "| U-Net (L1) | 0.48, 0.18, 0.13 |" in text
    assert "| GAN \\* | 0.22, 0.05, 0.01 | 0.450 |" in text
    assert "Receptive field" not in text
    assert "--budget small --steps 2 --row L1 --docs" in text


@pytest.fixture(scope="module")
def heads() -> Heads:
    """Return a head to train on, and a head that is held out."""
    return Heads((subject("a", *head()),), (subject("b", *head(1)),))


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    """Return the recipe of a row, for two steps of tiny networks."""
    row = EXPERIMENTS[4].recipe("small", 2, 0)
    return {**row, **TINY, "steps": 2, "planes": ["axial"]}


@pytest.fixture(scope="module")
def trained_row(
    heads: Heads, recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of a trained row."""
    folder = tmp_path_factory.mktemp("ablations") / "row"
    train_row(recipe, heads, folder, lambda _: None)
    return folder


@pytest.fixture(scope="module")
def scores(heads: Heads, trained_row: Path) -> Scores:
    """Return the scores of all rows on the held-out head, and a slice of each."""
    return score_rows([Head(one) for one in heads.validation], {"row": trained_row})


def test_a_row_is_not_trained_again(
    heads: Heads, recipe: dict[str, Any], trained_row: Path
) -> None:
    written = (trained_row / "model.json").stat().st_mtime_ns
    lines: list[str] = []
    train_row(recipe, heads, trained_row, lines.append)
    assert lines == ["already trained"]
    assert (trained_row / "model.json").stat().st_mtime_ns == written


def test_a_folder_with_another_recipe_is_refused(
    heads: Heads, recipe: dict[str, Any], trained_row: Path
) -> None:
    with pytest.raises(OasisGanError, match="name another --out"):
        train_row({**recipe, "steps": 3}, heads, trained_row, lambda _: None)


def test_a_folder_with_other_heads_is_refused(
    heads: Heads, recipe: dict[str, Any], trained_row: Path
) -> None:
    exchanged = Heads(heads.validation, heads.training)
    with pytest.raises(OasisGanError, match="name another --out"):
        train_row(recipe, exchanged, trained_row, lambda _: None)


def test_a_row_is_scored_beside_the_real_head_and_the_painted_one(scores: Scores) -> None:
    scored, shown = scores
    assert list(scored) == list(shown) == ["real", "painted", "row"]
    assert scored["real"]["b"].mae == 0
    assert scored["painted"]["b"].per_pixel > 0.99
    assert 0 < scored["row"]["b"].iou < 1


def test_scores_become_a_table_with_the_mean_of_each_row(scores: Scores) -> None:
    scored, _ = scores
    table = [line.split("\t") for line in as_tsv(scored).splitlines()]
    assert table[0] == ["row", "head", *COLUMNS]
    assert [line[:2] for line in table[-2:]] == [["row", "b"], ["row", "mean"]]


def test_slices_of_the_rows_become_a_png(scores: Scores) -> None:
    _, shown = scores
    assert picture(shown).startswith(b"\x89PNG")


def test_an_image_with_an_inverted_contrast_is_scored_without_matching() -> None:
    """A model that is trained by an adversarial loss alone may invert the contrast."""
    _, score = Head(subject("b", *head(1))).generated(_inverting())
    assert score.matched == 0
    assert score.per_pixel < 0.7
    assert 0 < score.mae < 1


def _inverting() -> SlicewiseTranslator:
    """Return a model that makes white matter dark and CSF bright."""
    window = Window((0.0, 30.0, 60.0, 90.0, 135.0), (0.0, *ANCHORS.values(), 1.0))
    card = ModelCard(
        name="inverting", version="1", sources={"labels": OASIS}, target=window, output="T1w"
    )
    return slicewise(_invert, card, planes=[Plane.AXIAL], canvas=Canvas(1.0, 32, 1))


def _invert(slices: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    return (slices @ np.array([[0.75], [0.55], [0.3]], np.float32)).astype(np.float32)


def test_a_head_on_both_sides_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OasisGanError, match="name it once"):
        Heads.find(tmp_path, ["a", "b"], ["b"])


def test_the_command_writes_a_table_a_picture_and_a_page_without_paths_of_this_machine(
    tmp_path: Path,
) -> None:
    for seed, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        for file, voxels in zip(("seg", "t1"), head(seed), strict=True):
            nib.save(nib.Nifti1Image(voxels, np.eye(4)), tmp_path / name / f"{file}.nii.gz")
    out = tmp_path / "out"
    docs = tmp_path / "ablations.md"
    words = [
        tmp_path,
        "--out",
        out,
        "--train",
        "a",
        "--validate",
        "b",
        "--row",
        "L1",
        "--steps",
        "1",
        "--docs",
        docs,
    ]
    for _ in range(2):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == 0, result.output
    assert "L1: already trained" in result.stderr
    assert result.stdout.splitlines()[0].startswith("row\thead\tper_pixel")
    assert (out / "table.tsv").read_text().count("\n") == 7
    assert (out / "slices.png").exists()
    assert "1 steps of 4 axial slices, 192x192, 5 levels, 16 filters; seed 0" in docs.read_text()
    assert str(tmp_path) not in docs.read_text()
