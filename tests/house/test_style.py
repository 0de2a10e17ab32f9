"""Code is not packed too densely, and tests use only what is public."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit.code_style import (
    MOST_NODES,
    find_large_functions,
    find_packed_assignments,
    find_private_imports,
    find_private_reads,
    find_runners,
    python_files,
)
from kit.places import EXAMPLES, ROOT, TESTS

Find = Callable[[str], Iterator[str]]
CODE = python_files(ROOT / "oasis_gan", ROOT / "plugins", TESTS, EXAMPLES)
TEST_FILES = [path for path in python_files(TESTS) if TESTS / "kit" not in path.parents]
KIT = TESTS / "kit" / "tool.py"
LARGE = "def add(a):\n" + "    a += 1\n" * MOST_NODES


def find_in(paths: list[Path], find: Find) -> list[str]:
    return [f"{path}: {found}" for path in paths for found in find(path.read_text())]


def test_no_statement_assigns_unrelated_values() -> None:
    assert find_in(CODE, find_packed_assignments) == []


def test_no_function_is_too_large_to_read() -> None:
    assert find_in(CODE, find_large_functions) == []


@pytest.mark.parametrize("find", [find_private_reads, find_private_imports])
def test_no_test_uses_what_is_private(find: Find) -> None:
    assert find_in(TEST_FILES, find) == []


def test_only_the_kit_says_how_the_tool_is_started() -> None:
    # Benchmarks are scripts, which do without the kit.
    files = [path for path in TEST_FILES if path.name.startswith("test_")]
    assert find_in(files, find_runners) == []
    assert list(find_runners(KIT.read_text()))


@pytest.mark.parametrize(
    ("find", "source"),
    [
        (find_packed_assignments, "a, b = 1, 2"),
        (find_packed_assignments, "x = a, b = 1, 2"),
        (find_packed_assignments, "self.a, self.b = a, b"),
        (find_packed_assignments, "def f():\n    low, high = min(x), max(x)"),
        (find_packed_assignments, "a, b = f(a), b + 1"),
        (find_large_functions, LARGE),
        (find_large_functions, f"async {LARGE}"),
        (find_private_reads, "model._weights"),
        (find_private_reads, "open_model(path)._weights.shape"),
        (find_private_imports, "from oasis_gan.io.files import _replace"),
        (find_runners, "command = [sys.executable, '-m', 'oasis_gan', *words]"),
    ],
)
def test_what_is_hard_to_read_is_found(find: Find, source: str) -> None:
    assert len(list(find(source))) == 1


@pytest.mark.parametrize(
    ("find", "source"),
    [
        (find_packed_assignments, "a, b = b, a"),
        (find_packed_assignments, "a, b = b, a % b"),
        (find_packed_assignments, "a[0], a[1] = a[1], a[0]"),
        (find_packed_assignments, "rows, columns = pixels.shape"),
        (find_packed_assignments, "pair = 1, 2"),
        (find_large_functions, LARGE.replace("    a += 1\n", "", 350)),
        (find_large_functions, f'def f():\n    """{"A sentence. " * MOST_NODES}"""'),
        (find_private_reads, "self._weights, cls._names, path.__class__"),
        (find_private_imports, "from __future__ import annotations"),
        (find_runners, "call([sys.executable, '-m', 'pip', 'install', 'oasis_gan'])"),
    ],
)
def test_what_is_easy_to_read_is_not_found(find: Find, source: str) -> None:
    assert list(find(source)) == []
