"""The table, curves and pictures of a training are the same whether or not it was interrupted."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.typing import NDArray
from oasis_gan_keras import drawing
from oasis_gan_keras.training_log import Slices, TrainingLog
from PIL import Image

from oasis_gan import OASIS, OasisGanError

COLUMNS = ("step", "L1", "adversarial", "validation_L1")
STEPS = range(100, 1100, 100)
GREY = np.array([[0.30], [0.55], [0.75]], np.float32)


def losses_at(step: int) -> dict[str, float]:
    """Return the losses at a step, on held-out slices too at every third step."""
    losses = {"L1": 10 / step, "adversarial": 0.7 + step % 7 / 10}
    if step % 300 == 0:
        losses["validation_L1"] = 20 / step
    return losses


def record_steps(out: Path, steps: range, resumed_at: int = 0, **options: Any) -> TrainingLog:  # noqa: ANN401
    log = TrainingLog(out, COLUMNS, resumed_at, **options)
    for step in steps:
        log.add_row(step, losses_at(step))
    return log


def add_captions(source: Slices, generated: Slices, real: Slices) -> list[tuple[str, Slices]]:
    return [("Source", source), ("Generated", generated), ("Real", real)]


def read_pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def test_the_header_comes_with_the_first_row_and_missing_losses_are_left_empty(
    tmp_path: Path,
) -> None:
    log = TrainingLog(tmp_path / "deep" / "model", COLUMNS)
    table = tmp_path / "deep" / "model" / "losses.csv"
    assert not table.exists()
    log.add_row(100, {"L1": 0.1, "adversarial": 1 / 3})
    log.add_row(200, {"validation_L1": 1e-7, "L1": 0.05})
    lines = ["step,L1,adversarial,validation_L1", "100,0.1,0.333333,", "200,0.05,,1e-07"]
    assert table.read_text() == "\n".join(lines) + "\n"


def test_a_loss_that_is_always_0_has_no_panel(tmp_path: Path) -> None:
    sizes = []
    for name, adversarial in (("with", 0.5), ("without", 0.0)):
        log = TrainingLog(tmp_path / name, ("step", "L1", "L2", "adversarial"))
        for step in STEPS:
            log.add_row(step, {"L1": 1 / step, "L2": 2 / step, "adversarial": adversarial})
        log.draw_curves()
        sizes.append(read_pixels(tmp_path / name / "curves.png").shape[0])
    assert sizes == [2 * 340, 340]


def test_the_curves_show_where_settings_were_changed(tmp_path: Path) -> None:
    shown = []
    for changed_at in ((), (500,)):
        record_steps(tmp_path, STEPS, changed_at=changed_at).draw_curves()
        shown.append(read_pixels(tmp_path / "curves.png"))
    assert (shown[0] != shown[1]).any()


def test_a_loss_without_a_column_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="L2"):
        TrainingLog(tmp_path, COLUMNS).add_row(100, {"L2": 1.0})


@given(
    resumed_at=st.sampled_from([0, *STEPS]),
    stopped=st.sampled_from(STEPS),
    torn=st.integers(0, 60),
    blank=st.booleans(),
)
def test_a_resumed_run_leaves_the_table_of_one_that_never_stopped(
    tmp_path_factory: pytest.TempPathFactory, resumed_at: int, stopped: int, torn: int, blank: bool
) -> None:
    """Rows after the checkpoint are dropped, wherever in the file the process was killed."""
    whole = tmp_path_factory.mktemp("out")
    parts = tmp_path_factory.mktemp("out")
    record_steps(whole, STEPS)
    record_steps(parts, range(100, max(stopped, resumed_at) + 100, 100))
    table = parts / "losses.csv"
    content = table.read_text()
    kept = content.find("\n", content.find(f"\n{resumed_at},") + 1) + 1 if resumed_at else 0
    table.write_text(content[: max(kept, len(content) - torn)] + ("7" if blank else ""))
    record_steps(parts, range(resumed_at + 100, 1100, 100), resumed_at)
    assert table.read_text() == (whole / "losses.csv").read_text()


def test_a_killed_process_has_written_every_row(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from oasis_gan_keras.training_log import TrainingLog
log = TrainingLog(Path({str(tmp_path)!r}), ("step", "L1"))
for step in (1, 2, 3):
    log.add_row(step, {{"L1": 0.5}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert (tmp_path / "losses.csv").read_text() == "step,L1\n1,0.5\n2,0.5\n3,0.5\n"


@pytest.mark.parametrize(
    "content", ["step,loss\n100,1\n", "step,L1,adversarial,validation_L1\n100,1\n", "\0\n\n"]
)
def test_the_table_of_another_training_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    table = tmp_path / "losses.csv"
    table.write_text(content)
    with pytest.raises(OasisGanError, match=r"losses\.csv: expected a table of step, L1") as caught:
        TrainingLog(tmp_path, COLUMNS, 100)
    assert "\n" not in str(caught.value)
    assert table.read_text() == content
    TrainingLog(tmp_path, COLUMNS).add_row(1, {})
    assert table.read_text().splitlines()[1:] == ["1,,,"]


def test_curves_have_a_panel_for_each_loss_and_are_drawn_again_and_again(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, COLUMNS)
    log.draw_curves()
    assert not list(tmp_path.iterdir())
    log.add_row(100, {})
    log.draw_curves()
    assert not (tmp_path / "curves.png").exists()
    for step in STEPS[1:]:
        log.add_row(step, losses_at(step))
        log.draw_curves()
    assert read_pixels(tmp_path / "curves.png").shape == (340, 1200, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "losses.csv"]


def test_training_and_validation_of_a_loss_share_a_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Mapping[str, drawing.Curves]] = []

    def draw(panels: Mapping[str, drawing.Curves], marks: Sequence[int]) -> bytes:
        drawn.append(panels)
        return b""

    monkeypatch.setattr(drawing, "draw_curves", draw)
    log = record_steps(tmp_path, STEPS)
    log.add_row(1100, {"L1": float("nan"), "adversarial": float("inf")})
    log.draw_curves()
    (panels,) = drawn
    assert {loss: list(panel) for loss, panel in panels.items()} == {
        "L1": ["training", "validation"],
        "adversarial": ["training"],
    }
    steps, values = panels["L1"]["validation"]
    np.testing.assert_allclose(steps, [300, 600, 900])
    np.testing.assert_allclose(values, 20 / steps, rtol=1e-5)
    assert panels["adversarial"]["training"][0].tolist() == list(STEPS)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.geomspace(1, 0.01, 20), "log"),
        (np.geomspace(1, 1e-6, 20), "log"),
        (np.linspace(1, 0.5, 20), "linear"),
        (np.linspace(1, 0, 20), "linear"),
        (np.linspace(1, -1, 20), "linear"),
        (np.ones(1), "linear"),
        (np.where(np.arange(1000) == 500, 0.01, 0.7), "linear"),
    ],
)
def test_a_scale_is_logarithmic_where_a_loss_falls_far(
    values: NDArray[np.float64], scale: str
) -> None:
    axes = Figure().subplots()
    drawing.draw_panel(axes, "L1", {"training": (np.arange(len(values), dtype=np.float64), values)})
    assert axes.get_yscale() == scale


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_a_running_mean_stays_among_the_values_it_is_taken_over(values: list[float]) -> None:
    smooth = drawing.compute_running_mean(np.array(values))
    assert len(smooth) == len(values)
    assert min(values) - 1e-3 <= smooth.min() <= smooth.max() <= max(values) + 1e-3


def make_corner_slice(rows: int = 20, columns: int = 16) -> NDArray[np.int64]:
    """Return a slice with grey matter at the right front, and white matter in the middle."""
    labels = np.zeros((1, rows, columns), np.int64)
    labels[:, rows // 2 + 2 :, columns // 2 + 2 :] = 2
    labels[:, rows // 2 - 2 : rows // 2 + 2, columns // 2 - 2 : columns // 2 + 2] = 3
    return labels


def cut_tiles(grid: NDArray[np.uint8], count: int) -> list[list[NDArray[np.uint8]]]:
    """Return the pictures of a grid, which are separated by white lines."""
    below = grid[drawing.CAPTION_HEIGHT :]
    rows = np.flatnonzero((below != 255).any(axis=(1, 2)))
    columns = np.flatnonzero((below != 255).any(axis=(0, 2)))
    across = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    down = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    assert (len(down), len(across)) == (count, 3)
    return [
        [below[row[0] : row[-1] + 1, column[0] : column[-1] + 1] for column in across]
        for row in down
    ]


def test_samples_show_source_generated_and_real_upright(tmp_path: Path) -> None:
    """Right is to the right, anterior is up, and background is black."""
    source = OASIS.encode(np.concatenate([make_corner_slice(), make_corner_slice()[:, ::-1]]))
    TrainingLog(tmp_path, COLUMNS).draw_samples(
        500, add_captions(source, source @ GREY, source @ GREY[::-1])
    )
    right, left = cut_tiles(read_pixels(tmp_path / "samples" / "step-0000500.png"), 2)
    colours = np.array([(0, 0, 0), *drawing.TISSUES])
    scale = 400 // 20
    seen = np.repeat(np.repeat(make_corner_slice()[0].T[::-1], scale, 0), scale, 1)
    np.testing.assert_array_equal(right[0], colours[seen])
    for tile, greys in zip(right[1:], (GREY, GREY[::-1]), strict=True):
        np.testing.assert_allclose(tile[..., 0], np.array([0, *greys[:, 0]])[seen] * 255, atol=1)
        assert (tile == tile[..., :1]).all()
    for tile, mirrored in zip(right, left, strict=True):
        np.testing.assert_array_equal(tile, mirrored[:, ::-1])


@pytest.mark.parametrize("channels", [2, 4, 7, 35])
def test_every_label_of_a_set_has_a_colour_of_its_own_and_background_is_black(
    channels: int,
) -> None:
    one_hot = np.concatenate([np.zeros((1, channels)), np.eye(channels)]).astype(np.float32)
    colours = drawing.colour_channels(one_hot.reshape(1, 1, -1, channels))[0, 0]
    assert not colours[0].any()
    assert len(np.unique(np.round(colours * 255), axis=0)) == channels + 1
    mixed = drawing.colour_channels(np.full((1, 1, 1, channels), 1.0, np.float32))
    assert mixed.max() <= 1


def test_large_slices_and_small_ones_make_a_grid(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, COLUMNS)
    for step, shape in enumerate([(1, 1, 1, 1), (2, 450, 512, 1), (3, 1, 40, 3)]):
        log.draw_samples(step, add_captions(*(np.full(shape, 0.2, np.float32) for _ in range(3))))
        drawn = cut_tiles(read_pixels(tmp_path / "samples" / f"step-{step:07}.png"), shape[0])
        assert drawn[0][0].shape[0] / drawn[0][0].shape[1] == shape[2] / shape[1]


def test_a_resumed_run_drops_the_pictures_of_later_steps_and_no_others(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, COLUMNS)
    for step in (100, 200, 300):
        log.draw_samples(step, add_captions(*[np.zeros((1, 8, 8, 1), np.float32)] * 3))
    (tmp_path / "samples" / "step-by-step.png").write_bytes(b"mine")
    TrainingLog(tmp_path, COLUMNS, 200)
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert names == ["step-0000100.png", "step-0000200.png", "step-by-step.png"]


def test_a_picture_that_cannot_be_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = record_steps(tmp_path, STEPS)
    log.draw_curves()
    before = (tmp_path / "curves.png").read_bytes()
    log.add_row(1100, {"L1": 5.0})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        log.draw_curves()
    assert (tmp_path / "curves.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "losses.csv"]


def test_drawing_touches_no_state_that_others_see(tmp_path: Path) -> None:
    """Matplotlib and TensorFlow are imported only when they are needed, and pyplot never."""
    code = f"""
import sys
from pathlib import Path
import numpy as np
from oasis_gan_keras.training_log import TrainingLog
log = TrainingLog(Path({str(tmp_path)!r}), ("step", "L1"))
log.add_row(1, {{"L1": 1.0}})
assert not {{"matplotlib", "tensorflow", "tensorboard"}} & set(sys.modules)
log.draw_curves()
slices = np.zeros((1, 4, 4, 1), np.float32)
log.draw_samples(1, [(caption, slices) for caption in ("Source", "Generated", "Real")])
assert "matplotlib.figure" in sys.modules
assert not {{"matplotlib.pyplot", "tensorflow"}} & set(sys.modules)
"""
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


def test_tensorboard_gets_the_same_losses_and_pictures(tmp_path: Path) -> None:
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    tensors = pytest.importorskip("tensorboard.util.tensor_util")
    log = record_steps(tmp_path, STEPS, tensorboard=True)
    log.draw_samples(300, add_captions(*[np.full((1, 8, 8, 1), 0.5, np.float32)] * 3))
    (events,) = (tmp_path / "tensorboard").iterdir()
    written: dict[str, dict[int, Any]] = {}
    for event in loader.EventFileLoader(str(events)).Load():
        for value in event.summary.value:
            written.setdefault(value.tag, {})[event.step] = tensors.make_ndarray(value.tensor)
    assert set(written) == {"L1/training", "L1/validation", "adversarial/training", "samples"}
    assert list(written["L1/training"]) == list(STEPS)
    for step, value in written["L1/validation"].items():
        assert value == pytest.approx(losses_at(step)["validation_L1"])
    with Image.open(BytesIO(written["samples"][300][2])) as shown:
        np.testing.assert_array_equal(
            np.asarray(shown), read_pixels(tmp_path / "samples" / "step-0000300.png")
        )


def test_without_tensorboard_an_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OasisGanError, match=r"pip install 'oasis-gan\[tensorboard\]'") as caught:
        TrainingLog(tmp_path / "out", COLUMNS, tensorboard=True)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    TrainingLog(tmp_path / "out", COLUMNS)
