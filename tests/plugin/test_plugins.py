"""A broken plugin is a line that names it and says what is wrong; everything else still works."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import oasis_gan

from oasis_gan import Dataset, OasisGanError, __api_version__
from oasis_gan.plugin.registry import Registry

HEAD = "from oasis_gan import Dataset, Exporter, ModelKind, hookimpl\n"
GOOD = HEAD + (
    "@hookimpl\n"
    "def oasis_gan_datasets():\n"
    "    yield Dataset(name='NAME', summary='Nothing at all',\n"
    "        open=lambda selection: [], recognises=lambda path: False)\n"
)
# The module of each broken plugin, and what the line about it has to say.
BROKEN = {
    "absent": ("import no_such_module", ["ModuleNotFoundError: No module named 'no_such_module'"]),
    "syntax": ("def broken(:", ["SyntaxError: ", "syntax.py, line 1"]),
    "exits": ("raise SystemExit('I leave')", ["SystemExit: I leave"]),
    "raises": ("raise ValueError('two\\nlines')", ["ValueError: two\\nlines"]),
    "hookless": (
        "def oasis_gan_datasets(): return []",
        ["expected a hook marked @hookimpl, found none"],
    ),
    "misspelt": (
        HEAD + "@hookimpl\ndef oasis_gan_dataset(): return []",
        [
            "hook: expected one of oasis_gan_datasets, oasis_gan_models, ",
            ", found oasis_gan_dataset; rename that hook",
        ],
    ),
    "signature": (
        HEAD + "@hookimpl\ndef oasis_gan_datasets(selection): return []",
        ["expected the arguments of their specs", "{'selection'} are declared in the hookimpl"],
    ),
    "hook_raises": (
        HEAD + "@hookimpl\ndef oasis_gan_models():\n    raise RuntimeError('no weights')",
        ["oasis_gan_models: expected ModelKind objects, found RuntimeError: no weights"],
    ),
    "hook_exits": (
        HEAD + "@hookimpl\ndef oasis_gan_models(): exit(3)",
        ["oasis_gan_models", "SystemExit: 3"],
    ),
    "hook_returns_none": (
        HEAD + "@hookimpl\ndef oasis_gan_models(): pass",
        ["oasis_gan_models", "TypeError"],
    ),
    "wrong_type": (
        HEAD + "@hookimpl\ndef oasis_gan_exporters():\n    yield 'exporter'",
        ["oasis_gan_exporters: expected Exporter objects, found str; yield Exporter objects"],
    ),
    "wrong_kind": (
        HEAD + "@hookimpl\ndef oasis_gan_datasets():\n"
        "    yield Exporter(name='a', summary='b', suffix='.c', write=print)",
        ["oasis_gan_datasets: expected Dataset objects, found Exporter"],
    ),
    "positional": (
        HEAD + "@hookimpl\ndef oasis_gan_exporters():\n    yield Exporter('a', 'b', '.c', print)",
        ["oasis_gan_exporters: expected Exporter objects", "positional argument"],
    ),
    "nameless": (
        GOOD.replace("'NAME'", "['a']"),
        ["expected Dataset objects with name: str, found ['a']"],
    ),
    "two_words": (
        GOOD.replace("NAME", "two words"),
        ["dataset: expected a name without spaces, found 'two words'"],
    ),
    "no_summary": (
        GOOD.replace("'Nothing at all'", "None"),
        ["expected Dataset objects with summary: str, found None; fix that field"],
    ),
    "unshipped": (
        HEAD + "@hookimpl\ndef oasis_gan_models():\n"
        "    yield ModelKind(name='a', summary='b', card=print, load=print, shipped=['c'])",
        ["expected ModelKind objects with shipped: Mapping[str, Path], found ['c']"],
    ),
    "unreadable": (
        GOOD.replace("lambda path: False", "'*.npy'"),
        ["expected Dataset objects with recognises: Callable[[Path], bool], found '*.npy'"],
    ),
    "usurper": (
        GOOD.replace("NAME", "nifti"),
        [
            "dataset nifti",
            "nifti (oasis-gan) and usurper (dist-usurper)",
            "nifti (oasis-gan) keeps it",
        ],
    ),
    "shouting_usurper": (
        GOOD.replace("NAME", "NIfTI"),
        ["dataset NIfTI", "nifti (oasis-gan) and shouting_usurper (dist-shouting_usurper)"],
    ),
    "of_tomorrow": (
        "oasis_gan_api_version = 1000\n" + GOOD,
        [
            f"expected a plugin written for API version {__api_version__}, found one for 1000",
            "upgrade oasis-gan, or install an older version of the plugin",
        ],
    ),
    "of_yesterday": (
        "oasis_gan_api_version = 0\n" + GOOD,
        ["found one for 0; upgrade the plugin, or install an older oasis-gan"],
    ),
    "of_no_version": (
        "oasis_gan_api_version = 'latest'\n" + GOOD,
        [
            "oasis_gan_api_version: expected a whole number, found 'latest'; "
            "write it as oasis_gan_api_version = "
        ],
    ),
    "asks_for_too_much": (
        "from oasis_gan import Report\n" + GOOD,
        [
            f"expected public names of oasis_gan in API version {__api_version__}, "
            "found cannot import name 'Report' from 'oasis_gan'; upgrade oasis-gan or the plugin",
        ],
    ),
}

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Return a function that puts a distribution with a plugin where Python finds it, like pip."""

    def put(name: str, code: str, site: str = "site", entry_points: str | None = None) -> Path:
        folder = tmp_path / site
        info = folder / f"dist_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dist-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points or f"[oasis_gan]\n{name} = {name}\n")
        (folder / f"{name}.py").write_text(code)
        return folder

    return put


@pytest.fixture
def discover(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Registry]:
    """Return a function that discovers plugins, also in a folder, and forgets their modules."""

    def found(folder: Path) -> Registry:
        monkeypatch.syspath_prepend(folder)
        for file in folder.glob("*.py"):
            monkeypatch.setitem(sys.modules, file.stem, None)
            del sys.modules[file.stem]
        return Registry.discover()

    return found


Discover = Callable[[Path], Registry]


def run_tool(
    *words: object, site: Path | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the tool as its users do, with the distributions in ``site``."""
    environment = {**os.environ, "PYTHONPATH": str(site)} if site else None
    return oasis_gan(*words, cwd=cwd or Path.cwd(), env=environment)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_one_line_with_its_name_and_the_cause(
    install: Install, discover: Discover, name: str
) -> None:
    code, said = BROKEN[name]
    (problem,) = discover(install(name, code)).problems
    assert problem.startswith(f"plugin {name} (dist-{name}): ")
    assert problem.isprintable()
    for part in said:
        assert part in problem


def test_broken_plugins_together_do_not_stop_the_tool(install: Install) -> None:
    for name, (code, _) in BROKEN.items():
        install(name, code)
    site = install("good", GOOD.replace("NAME", "good"))
    process = run_tool("plugins", site=site)
    assert process.returncode == 0
    assert process.stderr == ""
    broken = [line for line in process.stdout.splitlines() if line.startswith("broken: ")]
    assert sorted(line.split("(")[1].split(")")[0] for line in broken) == sorted(
        f"dist-{name}" for name in BROKEN
    )
    table = [
        line.split()[:4] for line in process.stdout.splitlines() if not line.startswith("broken: ")
    ]
    assert ["dataset", "good", "good", "(dist-good)"] in table
    assert ["dataset", "nifti", "nifti", "(oasis-gan)"] in table
    assert ["exporter", "nifti", "nifti", "(oasis-gan)"] in table


def test_a_broken_hook_does_not_affect_the_other_hooks_of_its_plugin(
    install: Install, discover: Discover
) -> None:
    code = (
        GOOD.replace("NAME", "half") + "@hookimpl\ndef oasis_gan_models(): raise ValueError('no')\n"
    )
    registry = discover(install("half", code))
    assert "half" in registry[Dataset].offers
    assert len(registry.problems) == 1


def test_a_hook_of_the_future_may_be_optional(install: Install, discover: Discover) -> None:
    code = (
        GOOD.replace("NAME", "early")
        + "@hookimpl(optionalhook=True)\ndef oasis_gan_reports(): return []\n"
    )
    registry = discover(install("early", code))
    assert "early" in registry[Dataset].offers
    assert registry.problems == []


def test_of_two_plugins_with_one_name_the_first_keeps_it(
    install: Install, discover: Discover
) -> None:
    install("one", GOOD.replace("NAME", "same"))
    registry = discover(install("two", GOOD.replace("NAME", "same")))
    assert str(registry[Dataset].origins["same"]) == "one (dist-one)"
    assert registry.problems == [
        "plugin two (dist-two): dataset same: expected one provider, found one (dist-one) and "
        "two (dist-two) both offering it; one (dist-one) keeps it; rename or uninstall the other"
    ]


def test_a_trained_model_keeps_its_name_too(install: Install, discover: Discover) -> None:
    code = HEAD + (
        "from pathlib import Path\n"
        "@hookimpl\n"
        "def oasis_gan_models():\n"
        "    yield ModelKind(name='KIND', summary='A kind', card=print, load=print,\n"
        "        shipped={'head': Path()})\n"
    )
    install("one", code.replace("KIND", "kind-one"))
    registry = discover(install("two", code.replace("KIND", "kind-two")))
    assert registry.trained.offers["head"].kind.name == "kind-one"
    (problem,) = registry.problems
    assert "model head" in problem
    assert "one (dist-one) and two (dist-two)" in problem


@pytest.mark.parametrize(
    "listing", ["[oasis_gan]\nno equals sign\n", "[oasis_gan]\nlist = not a module\n"]
)
def test_a_damaged_list_of_plugins_is_reported(
    install: Install, discover: Discover, listing: str
) -> None:
    (problem,) = discover(install("damaged", "", entry_points=listing)).problems
    assert "(dist-damaged)" in problem


def test_damage_in_unrelated_distributions_is_ignored(install: Install, discover: Discover) -> None:
    site = install("foreign", "", entry_points="[console_scripts]\nno equals sign\n")
    (site / "dist_foreign-1.0.dist-info" / "METADATA").unlink()
    (install("bytes", "") / "dist_bytes-1.0.dist-info" / "entry_points.txt").write_bytes(
        b"[other]\na = \xff\n"
    )
    assert discover(site).problems == []


def test_a_plugin_whose_distribution_lost_its_name_still_works(
    install: Install, discover: Discover
) -> None:
    for name in ("lost", "forlorn"):
        site = install(name, GOOD.replace("NAME", name))
        (site / f"dist_{name}-1.0.dist-info" / "METADATA").unlink()
    assert {"lost", "forlorn"} <= set(discover(site)[Dataset].offers)


def test_a_second_copy_further_down_the_path_is_not_a_clash(
    install: Install, discover: Discover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(install("copy", GOOD.replace("NAME", "copy"), "further"))
    assert discover(install("copy", GOOD.replace("NAME", "copy"))).problems == []


@pytest.mark.parametrize("name", ["syntax", "exits", "misspelt"])
def test_a_broken_plugin_file_is_wrong_usage(tmp_path: Path, name: str) -> None:
    code, said = BROKEN[name]
    (tmp_path / f"{name}.py").write_text(code)
    process = run_tool("plugins", "--plugin", f"{name}.py", cwd=tmp_path)
    assert process.returncode == 2
    assert process.stdout == ""
    (line,) = process.stderr.splitlines()
    assert line.startswith("oasis-gan: --plugin: expected a working plugin, found plugin ")
    for part in said:
        assert part in line


def test_a_plugin_file_may_not_take_a_built_in_name(tmp_path: Path) -> None:
    (tmp_path / "usurper.py").write_text(GOOD.replace("NAME", "nifti"))
    process = run_tool("plugins", "--plugin", "usurper.py", cwd=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == (
        "oasis-gan: usurper.py: expected a new name for dataset nifti, "
        "found nifti (oasis-gan) offering it already; choose another name in that file\n"
    )


def test_a_plugin_file_that_is_installed_too_has_one_remedy(
    tmp_path: Path, install: Install
) -> None:
    (tmp_path / "mine.py").write_text(GOOD.replace("NAME", "mine"))
    site = install("mine", GOOD.replace("NAME", "mine"))
    process = run_tool("plugins", "--plugin", "mine.py", cwd=tmp_path, site=site)
    assert process.returncode == 2
    assert process.stderr == (
        "oasis-gan: mine.py: expected a new name for dataset mine, "
        "found mine (dist-mine) offering it already; "
        "use the installed plugin, or run pip uninstall dist-mine first\n"
    )


def test_two_plugin_files_with_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(GOOD.replace("NAME", "same"))
    process = run_tool("plugins", "--plugin", "one.py", "--plugin", "two.py", cwd=tmp_path)
    assert process.returncode == 2
    assert process.stderr.endswith(
        "found one (one.py) offering it already; name only one of the two files\n"
    )


@pytest.mark.parametrize("file", ["missing.py", "folder.py", "notes.txt"])
def test_a_plugin_file_that_is_none_is_wrong_usage(tmp_path: Path, file: str) -> None:
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(OasisGanError, match=file):
        Registry.discover([tmp_path / file])


def test_a_plugin_file_may_define_dataclasses(tmp_path: Path) -> None:
    """They look their module up by name, as pickles do."""
    code = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    code += GOOD.replace("NAME", "mine") + "@dataclass\nclass Header:\n    size: int\n"
    (tmp_path / "mine.py").write_text(code)
    assert "mine" in Registry.discover([tmp_path / "mine.py"])[Dataset].offers


RUNNING = """
import sys
from oasis_gan.cli.main import main
sys.argv[1:] = {words!r}
try:
    main()
finally:
    loaded = {{name.partition(".")[0] for name in sys.modules}}
    loaded = sorted(loaded & {{"tensorflow", "keras", "pytest"}})
    assert not loaded, loaded
"""


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["plugins"], ["models"]])
def test_listing_does_not_wait_for_tensorflow(words: list[str]) -> None:
    command = [sys.executable, "-c", RUNNING.format(words=words)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stderr


# A run with plugins that load well, and break when they are used.

UNRULY = HEAD + (
    "from pathlib import Path\n"
    "from oasis_gan import OasisGanError\n"
    "def fail(*_): raise RuntimeError('not my day')\n"
    "@hookimpl\n"
    "def oasis_gan_datasets():\n"
    "    yield Dataset(name='unruly', summary='Breaks when asked', open=fail, recognises=fail)\n"
    "    yield Dataset(name='empty', summary='Finds nothing',\n"
    "        open=lambda selection: [], recognises=lambda path: False)\n"
    "    yield Dataset(name='strange', summary='Lists names',\n"
    "        open=lambda selection: ['a'], recognises=lambda path: False)\n"
    "@hookimpl\n"
    "def oasis_gan_models():\n"
    "    yield ModelKind(name='unruly', summary='Breaks when asked', card=fail, load=fail,\n"
    "        shipped={'unruly': Path()})\n"
)
PAINT = HEAD + (
    "from pathlib import Path\n"
    "import numpy as np\n"
    "from oasis_gan import OASIS, Canvas, ModelCard, Plane, Window, slicewise\n"
    "CARD = ModelCard(name='paint', version='1', sources={'labels': OASIS},\n"
    "    target=Window((0, 1), (0, 1)), output='p')\n"
    "def paint(slices, mask): return slices.sum(-1, keepdims=True)\n"
    "def load(folder):\n"
    "    return slicewise(paint, CARD, planes=tuple(Plane), canvas=Canvas(1.0, 1, 1))\n"
    "@hookimpl\n"
    "def oasis_gan_models():\n"
    "    yield ModelKind(name='paint', summary='Paints', card=lambda _: CARD,\n"
    "        load=load, shipped={'paint': Path()})\n"
)


@pytest.fixture
def unruly(install: Install, tmp_path: Path) -> Path:
    """Install plugins that break when used beside one that works; save a volume to translate."""
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.eye(4)), tmp_path / "a.nii")
    install("paint", PAINT)
    return install("unruly", UNRULY)


def test_a_reader_that_fails_to_recognise_does_not_affect_the_others(
    unruly: Path, tmp_path: Path
) -> None:
    process = run_tool(
        "run", "a.nii", "--out", "out", "--model", "paint", site=unruly, cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    assert (
        "warning: dataset unruly could not examine a.nii: RuntimeError: not my day"
        in process.stderr
    )
    assert process.stdout == "out/a_synthp.nii.gz\n"


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ("unruly", "RuntimeError: not my day"),
        ("empty", "expected something that the dataset plugin empty reads, found none"),
        ("strange", "expected Subject objects, found str; fix the dataset plugin strange"),
    ],
)
def test_a_reader_that_lists_no_subjects_is_a_failure_with_a_reason(
    unruly: Path, tmp_path: Path, dataset: str, said: str
) -> None:
    words = ("run", "a.nii", "--out", "out", "--model", "paint", "--dataset", dataset)
    process = run_tool(*words, site=unruly, cwd=tmp_path)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert said in line
    assert said in (tmp_path / "out" / "subjects.tsv").read_text()


def test_a_model_that_cannot_be_described_is_one_line_in_the_list(unruly: Path) -> None:
    process = run_tool("models", site=unruly)
    assert process.returncode == 0
    assert "broken: model unruly: RuntimeError: not my day" in process.stdout.splitlines()
    assert any(line.startswith("paint ") for line in process.stdout.splitlines())


def test_a_model_that_breaks_when_loaded_is_one_line(unruly: Path, tmp_path: Path) -> None:
    process = run_tool(
        "run", "a.nii", "--out", "out", "--model", "unruly", site=unruly, cwd=tmp_path
    )
    assert process.returncode == 2
    (line,) = process.stderr.splitlines()
    assert "unruly" in line
    assert "RuntimeError: not my day" in line
