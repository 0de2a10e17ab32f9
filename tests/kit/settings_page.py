"""The table of settings in docs/training.md, made of the recipe's fields.

python tests/kit/settings_page.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import Enum

from oasis_gan_pix2pix.recipe import Recipe
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kit.places import ROOT
from oasis_gan import LabelSet

NamedField = tuple[str, FieldInfo]

PAGE = ROOT / "docs" / "training.md"
_TABLE = re.compile(r"(<!-- settings -->\n).*?(<!-- end of settings -->)", re.DOTALL)


def describe_settings(model: type[BaseModel] = Recipe, table: str = "") -> Iterator[NamedField]:
    """Yield each setting and its field: those of the recipe itself first, then its tables."""
    tables = []
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            tables.append((type(field.default), f"{table}{name}."))
        else:
            yield f"{table}{name}", field
    for inner, prefix in tables:
        yield from describe_settings(inner, prefix)


def rows() -> Iterator[str]:
    """Yield a row for each setting."""
    for name, field in describe_settings():
        yield f"| `{name}` | {_shown(field.default)} | {field.description} |"


def with_table(page: str) -> str:
    """Return the page with its table made anew."""
    table = "\n".join(["| setting | default | |", "|---|---|---|", *rows()])
    return _TABLE.sub(lambda match: f"{match[1]}\n{table}\n\n{match[2]}", page)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if value == {}:
        return "none"
    if isinstance(value, LabelSet):
        return _shown(value.name)
    if isinstance(value, tuple):
        return ", ".join(_shown(one) for one in value) or "none"
    return f"`{json.dumps(value.value if isinstance(value, Enum) else value)}`"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
