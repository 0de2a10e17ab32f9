"""The house keeps its rooms: who may import whom."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import oasis_gan

CHECKOUT = Path(__file__).parent.parent
CORE = sorted((CHECKOUT / "oasis_gan").rglob("*.py"))
PLUGINS = sorted((CHECKOUT / "plugins").rglob("*.py"))
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
    allowed = {"SimpleITK"} if "testing" in path.parts else set()
    assert not roots & (HEAVY - allowed)
    assert not {root for root in roots if root.startswith("oasis_gan_")}
    assert not re.search(r"oasis_gan_(bids|itk|nifti|oasis|pix2pix)", path.read_text())


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_plugins_take_public_names_of_the_core_only(path: Path) -> None:
    for module, names in imports(path):
        if module.split(".")[0] == "oasis_gan":
            assert module == "oasis_gan"
            assert set(names) <= set(oasis_gan.__all__)


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_only_the_backend_imports_tensorflow(path: Path) -> None:
    roots = {module.split(".")[0] for module, _ in imports(path)}
    assert path.name == "backend.py" or not roots & ENGINES
