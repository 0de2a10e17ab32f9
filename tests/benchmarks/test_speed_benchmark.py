"""The benchmark of speed: rows, ratios and page, with tiny networks and without PyTorch."""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from kit.places import BENCHMARKS

sys.path.insert(0, str(BENCHMARKS))

from head import head
from processes import Command, imports, in_turns, python, ran
from rounds import Effort, Entry, Measured, Prepared, Work, compete
from speed import Benchmark, chosen_sides, main
from speed_page import PAGE, TITLES, Results, tables
from speed_plot import plot

from oasis_gan import OasisGanError

MEASURE = f"""
import sys; sys.path.insert(0, {str(BENCHMARKS)!r})
from processes import Command, python, ran
print(ran(Command(python("-c", "x = b'1' * 500_000_000")))[1])
"""
TINY = Work("", "", size=32, filters=2, levels=3, batch=2)
RESULTS: Results = {
    "inference": {
        "tutorial": Measured((0.15, 0.3, 0.2), "float32"),
        "pytorch-bfloat16": Measured((31.0,), "bfloat16", once=True),
        "ours": Measured((0.05, 0.04, 0.06), "float32", gflop=2),
    },
    "product": {"tensorflow-float32": Measured((0.01, 0.0125, 0.02))},
    "process": {
        "`oasis-gan --help`": Measured((0.2, 0.2, 0.3)),
        "a run": Measured((5, 6, 7), peak=812),
    },
    "batch": {"1": Measured((0.2, 0.1, 0.3), gflop=2), "2": Measured((0.1, 0.1, 0.1), gflop=2)},
    "width": {"2": Measured((0.1, 0.1, 0.1), gflop=0.5)},
    "cores": {"1": Measured((0.3, 0.3, 0.3)), "2": Measured((0.2, 0.2, 0.2))},
    "volumes": {"1": Measured((5, 6, 7), peak=800), "4": Measured((12, 12, 12), peak=810)},
}


@pytest.mark.parametrize(
    "row",
    [
        "| TensorFlow's tutorial, as written | float32 | 200.0 | 150.0 to 300.0 | 4.00 |",
        "| oasis-gan | float32 | 50.0 | 40.0 to 60.0 | 1.00 |",
        "| tensorflow-float32 | 80 | 50 to 100 |",
        "| a slice, inference | 2 | 25.0 | 50.0 | 50% |",
        "| a run | 6.00 | 5.00 to 7.00 | 812 |",
        "| `oasis-gan --help` | 0.20 | 0.20 to 0.30 |  |",
        "| 2 | 200.0 | 200.0 to 200.0 | 1.50 |",
        "| 4 | 12.00 | 12.00 to 12.00 | 3.00 | 810 |",
    ],
)
def test_a_row_holds_the_median_the_spread_and_a_ratio(row: str) -> None:
    assert row in tables(RESULTS, ["seed 0"], "a command", 30, "speed.png")


def test_the_page_shows_the_plot_and_says_what_was_not_tested() -> None:
    text = tables(RESULTS, ["seed 0"], "a command", 30, "speed.png")
    assert "![The same figures as curves](speed.png)" in text
    assert "GPUs are untested" in text


def test_the_page_has_no_section_for_what_was_not_measured() -> None:
    assert "## Training" not in tables(RESULTS, ["seed 0"], "a command", 30, "speed.png")


def test_a_single_measurement_is_reported_as_such() -> None:
    text = tables(RESULTS, [], "", 30, "")
    assert "| bfloat16 | 31000.0 \\* |  | 620.00 |" in text
    assert "\\* measured once: a single call took longer than 30 s." in text
    assert "\\*" not in tables({"product": RESULTS["product"]}, [], "", 30, "")


def test_the_plot_is_a_png() -> None:
    assert plot(RESULTS).startswith(b"\x89PNG")


def test_a_round_lasts_the_requested_time_and_counts_units() -> None:
    calls: list[int] = []
    work = Prepared(lambda: calls.append(1), units=4, precision="float32")
    assert work.round(0) > 0
    assert len(calls) == 1
    assert work.round(0.01) < 0.01
    assert len(calls) > 2


def test_the_memory_of_a_process_is_measured_and_its_exit_code_checked() -> None:
    measured = in_turns({"small": Command(python("-c", ""))}, 2)
    assert len(measured["small"].values) == 2
    assert measured["small"].peak == 0
    with pytest.raises(OasisGanError, match="expected exit code 0, found 3: told"):
        ran(Command(python("-c", "import sys; print('told'); sys.exit(3)")))
    # By a process that is small itself.
    process = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True
    )
    assert 500 < float(process.stdout) < 700


def test_imports_of_a_program_are_detected() -> None:
    assert imports("tomllib", python("-c", "import tomllib"))
    assert not imports("tomllib", python("-c", ""))


def test_missing_pytorch_is_one_line_with_the_command_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        OasisGanError, match=r"pip install 'oasis-gan\[bench\]', or leave it out by --without-torch"
    ):
        chosen_sides((), without_torch=False)
    assert chosen_sides((), without_torch=True) == (
        "tutorial",
        "ours",
        "ours-whole",
        "ours-auto",
        "ours-float32",
    )
    assert chosen_sides(("ours",), without_torch=False) == ("ours",)


def test_our_second_precision_is_measured_as_a_variant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Entry] = {}
    monkeypatch.setattr("speed.compete", lambda entries, *_: asked.update(entries) or {})
    benchmark = Benchmark(tuple(TITLES), False, TINY, 8, Path(), Effort(1, 0), print)
    benchmark.results(["inference", "limit"])
    assert asked["ours-auto"].variant_of == "ours"
    assert asked["ours"].variant_of is None
    assert "ours-float32" not in asked
    assert {name for name in asked if name.startswith("tensorflow")} == {
        "tensorflow-float32",
        "tensorflow-bfloat16",
    }
    assert not [name for name, entry in asked.items() if entry.process == "pytorch"]
    asked.clear()
    benchmark.results(["training"])
    assert asked["ours-float32"].variant_of == "ours"
    assert "ours-auto" not in asked


def test_a_variant_in_the_same_precision_is_not_measured() -> None:
    work = Work("ours", "inference", 32, 2, 2, 2)
    entries = {
        "ours": Entry(work, "ours"),
        "ours-float32": Entry(replace(work, side="ours-float32"), "ours", variant_of="ours"),
    }
    assert list(compete(entries, Effort(1, 0))) == ["ours"]


def test_a_size_that_the_levels_do_not_divide_is_refused() -> None:
    result = CliRunner().invoke(main, ["--without-torch", "--size", "100"])
    assert result.exit_code == 1
    assert "--size: expected a multiple of 256 for 8 levels, found 100" in result.stderr


SLICES = [("tutorial", "inference"), ("ours-auto", "inference"), ("ours-whole", "inference")]


@pytest.mark.parametrize(
    ("side", "what"), [*SLICES, ("tutorial", "training"), ("ours-float32", "training")]
)
def test_each_side_of_tensorflow_does_its_work(
    side: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import speed_tensorflow

    # For the whole process, which here has other tests in it.
    monkeypatch.setattr(speed_tensorflow, "make_deterministic", lambda seed: None)
    work = speed_tensorflow.prepared(Work(side, what, 32, 2, 2, 2))
    made: Any = work.call()
    if what == "inference":
        made = np.concatenate(made)
        assert work.units == len(made)
    else:
        assert work.units == (2 if side == "ours-float32" else 1)
    assert np.isfinite(made).all()
    assert work.gflop > 0


def test_the_measured_head_fits_every_size_and_its_mask_covers_it() -> None:
    for size in (32, 256):
        slices, mask = head(size)
        assert slices.shape == (155, size, size, 3)
        assert mask[slices.any(-1)].mean() > 0.9
        assert 0.1 < mask.mean() < 0.6


def test_operations_are_counted_from_the_layers() -> None:
    import speed_tensorflow
    from oasis_gan_pix2pix import networks
    from oasis_gan_pix2pix.recipe import DiscriminatorSettings, GeneratorSettings

    settings = GeneratorSettings(
        levels=2, filters=4, norm="batch", upsample="transposed", full_skip=False
    )
    # Down to 16x16 and 8x8; up from 8x8, and from 16x16 with the skip beside.
    products = 16**2 * 16 * 3 * 4 + 8**2 * 16 * 4 * 8 + 8**2 * 16 * 8 * 4 + 16**2 * 16 * 8 * 3
    assert speed_tensorflow.gflop(networks.build_generator(settings, 3, 3), 32) == pytest.approx(
        2 * products / 1e9
    )
    full = GeneratorSettings(
        levels=8, filters=64, norm="batch", upsample="transposed", full_skip=False
    )
    assert speed_tensorflow.gflop(networks.build_generator(full, 3, 3), 256) == pytest.approx(
        12.1, abs=0.05
    )
    judge = networks.build_discriminator(DiscriminatorSettings(filters=64, norm="batch"), 3, 3)
    assert speed_tensorflow.gflop(judge, 256) == pytest.approx(6.4, abs=0.05)


def test_pytorchs_networks_have_our_parameters_and_shapes() -> None:
    torch = pytest.importorskip(
        "torch", reason="torch is not installed: pip install 'oasis-gan[bench]'"
    )
    import torch_pix2pix
    from oasis_gan_pix2pix import networks
    from random_model import preset

    recipe = preset("paper", 32, 4, 4)
    ours = (
        networks.build_generator(recipe.generator, 3, 3),
        networks.build_discriminator(recipe.discriminator, 3, 3),
    )
    theirs: Any = torch_pix2pix.Generator(3, 3, 4, 4), torch_pix2pix.Discriminator(6, 4)
    for our, their in zip(ours, theirs, strict=True):
        assert sum(int(np.prod(v.shape)) for v in our.trainable_variables) == sum(
            p.numel() for p in their.parameters()
        )
    source = torch.zeros(2, 3, 32, 32)
    assert theirs[0](source).shape == source.shape
    logits = theirs[1](torch.cat([source, source], 1))
    assert tuple(logits.shape[2:]) == tuple(ours[1](np.zeros((1, 32, 32, 6))).shape[1:3])


def test_the_command_measures_side_by_side_and_keeps_what_was_written_by_hand(
    tmp_path: Path,
) -> None:
    docs = tmp_path / "speed.md"
    docs.write_text(PAGE.spliced("old tables", None) + "By hand.\n")
    tiny = [
        "--size",
        "32",
        "--filters",
        "2",
        "--levels",
        "3",
        "--batch",
        "2",
        "--rounds",
        "2",
        "--seconds",
        "0",
    ]
    words = [
        "--part",
        "inference",
        "--side",
        "tutorial",
        "--side",
        "ours",
        *tiny,
        "--docs",
        str(docs),
    ]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    rounds = [line.partition(",")[0] for line in result.stderr.splitlines() if "round" in line]
    assert rounds == ["tutorial: round 1", "ours: round 1", "tutorial: round 2", "ours: round 2"]
    rows = {row["row"]: row for row in csv.DictReader(StringIO(result.stdout), delimiter="\t")}
    assert list(rows) == ["tutorial", "ours"]
    tutorial, ours = (float(row["median"]) for row in rows.values())
    page = docs.read_text()
    row = next(
        line for line in page.splitlines() if TITLES["tutorial"] in line and line.startswith("|")
    )
    assert float(row.split("|")[-2]) == pytest.approx(tutorial / ours, rel=0.01, abs=0.006)
    assert "old tables" not in page
    assert page.endswith("By hand.\n")
    assert "speed.py --part inference --side tutorial --side ours --size 32 --filters 2" in page
    assert str(tmp_path) not in page
