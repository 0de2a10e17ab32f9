"""The files that tell people and services about the project agree with its packaging."""

from __future__ import annotations

import re
import tomllib

import pytest
from kit.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = ROOT / "CITATION.cff"


def test_the_citation_is_valid() -> None:
    citation = pytest.importorskip("cffconvert").Citation(CITATION.read_text("utf-8"))
    citation.validate()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", PROJECT["name"]),
        ("version", PROJECT["version"]),
        ("license", PROJECT["license"]),
    ],
)
def test_the_citation_says_what_the_packaging_says(key: str, value: str) -> None:
    text = CITATION.read_text("utf-8")
    assert re.search(rf"^{key}: (.+)$", text, re.MULTILINE)[1] == value  # type: ignore[index]


def test_the_hooks_of_a_commit_are_checks_of_ci() -> None:
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    hooks = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    entries = re.findall(r"entry: (\w+)", hooks)
    assert set(entries) == {"ruff", "codespell", "mypy"}
    assert all(f".venv/bin/{entry}" in run for entry in entries)


def test_the_workflow_tests_the_oldest_python_on_three_systems() -> None:
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert re.search(r"python: \[(.*)\]", text)[1].startswith(f'"{oldest}"')  # type: ignore[index]
    assert "os: [ubuntu-latest, macos-latest, windows-latest]" in text
