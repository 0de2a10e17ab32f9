"""The pages for authors of plugins show code of the examples, and list the known plugins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from kit.pages import blocks
from kit.places import ROOT

import oasis_gan

DOCS = ROOT / "docs"
EXAMPLE = re.compile(r"\]\(\.\./(examples/[\w/]+\.py)\):\n\n")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["writing-a-model.md", "writing-an-exporter.md"])
def test_the_code_of_a_page_is_that_of_the_example_named_last(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    shown = list(BLOCK.finditer(text))
    assert shown
    for block in shown:
        example = EXAMPLE.findall(text[: block.start()])[-1]
        assert block[1] in (ROOT / example).read_text("utf-8"), example


def test_the_page_on_known_plugins_lists_the_built_in_ones() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    page = (DOCS / "known-plugins.md").read_text("utf-8")
    listed = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert listed == sorted(project["entry-points"]["oasis_gan"])


def test_the_page_on_versions_shows_the_version_of_the_api() -> None:
    page = (DOCS / "plugin-api.md").read_text("utf-8")
    assert blocks(page, "python") == [f"oasis_gan_api_version = {oasis_gan.__api_version__}"]


@pytest.mark.parametrize("page", ["plugin-api.md", "known-plugins.md", "writing-a-model.md"])
def test_the_first_tutorial_leads_to_the_page(page: str) -> None:
    assert f"]({page})" in Path(DOCS / "first-plugin.md").read_text("utf-8")
