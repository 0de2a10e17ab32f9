"""The pages of the documentation, as their code and their prose."""

from __future__ import annotations

import re

from kit.places import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text: str, *languages: str) -> list[str]:
    return [code.strip() for language, code in FENCE.findall(text) if language in languages]


def prose(text: str) -> str:
    return FENCE.sub("", text)
