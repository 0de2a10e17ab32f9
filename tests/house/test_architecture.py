"""Packages and modules import only what they may."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import oasis_gan_keras
import pytest
from kit.places import ROOT, TESTS
from kit.texts import texts_in

import oasis_gan
from oasis_gan.plugin.hookspecs import HOOK_KINDS

CORE = sorted((ROOT / "oasis_gan").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
LIBRARY = ROOT / "plugins" / "oasis_gan_keras"
PLUGIN_NAMES = "|".join(
    path.parent.name for path in sorted((ROOT / "plugins").glob("*/__init__.py"))
)
TEST_FILES = sorted(TESTS.rglob("*.py"))
ENGINES = {"tensorflow", "keras"}
HEAVY = ENGINES | {"SimpleITK"}


def imports(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each module a file imports by its absolute name, and the names it takes from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", [alias.name for alias in node.names]


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_names_no_plugin_and_imports_nothing_heavy(path: Path) -> None:
    roots = {module.split(".")[0] for module, _ in imports(path)}
    # `import_simpleitk` is in a file of its own, and imports when it is called.
    may_import_itk = "testing" in path.parts or path.name == "itk.py"
    allowed = {"SimpleITK"} if may_import_itk else set()
    assert not roots & (HEAVY - allowed)
    assert not {root for root in roots if root.startswith("oasis_gan_")}
    assert not re.search(PLUGIN_NAMES, path.read_text())


FLAGLESS = [path for path in (*CORE, *PLUGINS) if not {"cli", "testing"} & set(path.parts)]


@pytest.mark.parametrize("path", FLAGLESS, ids=lambda path: path.name)
def test_only_the_command_line_knows_of_flags(path: Path) -> None:
    # Names as Python has them become flags in `oasis_gan.cli.flags`.
    flags = [text for text in texts_in(path) if re.search(r"(?<![\w-])--[a-z]", text)]
    assert not flags


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_plugins_take_public_names_of_the_core_only(path: Path) -> None:
    for module, names in imports(path):
        if module.split(".")[0] == "oasis_gan":
            assert module == "oasis_gan"
            assert set(names) <= set(oasis_gan.__all__)


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_only_the_backend_imports_tensorflow(path: Path) -> None:
    roots = {module.split(".")[0] for module, _ in imports(path)}
    assert path == LIBRARY / "backend.py" or not roots & ENGINES


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_plugin_imports_no_other_plugin_but_may_import_the_keras_library(path: Path) -> None:
    roots = {module.split(".")[0] for module, _ in imports(path)}
    others = {root for root in roots if root.startswith("oasis_gan_")}
    assert others <= (set() if path.parent == LIBRARY else {LIBRARY.name})


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_plugins_take_public_names_of_the_keras_library_only(path: Path) -> None:
    modules = {file.stem for file in LIBRARY.glob("*.py")}
    for module, names in imports(path):
        if module == LIBRARY.name:
            assert set(names) <= {*oasis_gan_keras.__all__, *modules}
        elif module.startswith(f"{LIBRARY.name}.") and module != f"{LIBRARY.name}.backend":
            assert set(names) <= set(oasis_gan_keras.__all__)


def test_checking_the_settings_of_a_training_imports_no_tensorflow() -> None:
    code = "import sys, oasis_gan_pix2pix.recipe, oasis_gan_keras\noasis_gan_keras.loss\n"
    code += "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_keras_library_is_no_plugin() -> None:
    for path in LIBRARY.glob("*.py"):
        assert "hookimpl" not in path.read_text(), path
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "oasis_gan"
    ]
    assert LIBRARY.name not in points.values()


LOOPS = (
    "plugin/registry",
    "plugin/catalogue",
    "cli/listing",
    "cli/check_plugin",
    "testing/offered",
    "testing/trial",
)
"""What deals with everything that plugins offer."""


def names_in(path: Path) -> set[str]:
    """Return the names that a file uses or defines, and what its strings hold."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Constant):
            found.add(str(node.value))
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_only_the_table_of_kinds_names_a_hook(path: Path) -> None:
    hooks = {kind.hook for kind in HOOK_KINDS}
    assert path.name == "hookspecs.py" or not names_in(path) & hooks


@pytest.mark.parametrize("module", LOOPS)
def test_code_for_all_kinds_of_offers_names_none_of_them(module: str) -> None:
    kinds = {kind.description.__name__ for kind in HOOK_KINDS} | {
        kind.contract for kind in HOOK_KINDS
    }
    # Trained models come with a kind of model, and are a catalogue of their own.
    allowed = {"ModelKind"} if module == "plugin/registry" else set()
    assert names_in(ROOT / "oasis_gan" / f"{module}.py") & kinds <= allowed


LAYERS = (
    "cli",
    "testing",
    "report",
    "evaluation",
    "pipeline",
    "checks",
    "plugin",
    "io",
    "image",
    "errors",
)
"""Parts of the core in layers: each may import those that come after it, and no others."""


def relative_imports(path: Path) -> Iterator[Path]:
    """Yield the file of each module that a file of the house imports by a relative name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1].joinpath(*filter(None, (node.module or "").split(".")))
        if base.with_suffix(".py").exists():
            yield base.with_suffix(".py")
            continue
        files = [base / f"{alias.name}.py" for alias in node.names]
        yield from [file if file.exists() else base / "__init__.py" for file in files]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_only_the_layers_after_it(layer: str) -> None:
    allowed = LAYERS[LAYERS.index(layer) :]
    files = sorted((ROOT / "oasis_gan" / layer).rglob("*.py")) or [
        ROOT / "oasis_gan" / f"{layer}.py"
    ]
    for path in files:
        imported = {
            file.relative_to(ROOT / "oasis_gan").parts[0] for file in relative_imports(path)
        }
        assert {name.removesuffix(".py") for name in imported} <= set(allowed), path


def test_every_module_of_the_core_belongs_to_a_layer() -> None:
    outside = {path.name for path in (ROOT / "oasis_gan").glob("*.py")}
    assert outside == {"__init__.py", "__main__.py", "errors.py"}
    assert {path.parent.name for path in (ROOT / "oasis_gan").glob("*/__init__.py")} == set(
        LAYERS
    ) - {"errors"}


@pytest.mark.parametrize("files", [CORE, PLUGINS], ids=["core", "plugins"])
def test_no_modules_import_one_another_in_a_circle(files: list[Path]) -> None:
    TopologicalSorter({path: set(relative_imports(path)) - {path} for path in files}).prepare()


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_no_test_imports_another(path: Path) -> None:
    assert not [module for module, _ in imports(path) if module.startswith("test_")]
