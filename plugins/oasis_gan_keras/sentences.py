"""What is wrong with a setting, in a sentence: pydantic's messages are written for programmers."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

Details = Mapping[str, Any]
"""One of the `errors` of a pydantic ``ValidationError``."""

_NAMES_IN_WORDS = {
    r"^[A-Za-z0-9]+$": "letters and digits alone",
    r"^[A-Za-z0-9._-]+$": "letters, digits and . _ - alone",
    r"^[A-Za-z0-9.+-]+$": "letters, digits and . + - alone",
    "^[0-9a-f]{64}$": "64 digits from 0 to f",
}
_EXPECTED: Mapping[str, Callable[[Details], str]] = {
    "extra_forbidden": lambda _: "a setting of the recipe",
    "missing": lambda _: "a value",
    "int_type": lambda _: "a whole number",
    "int_parsing": lambda _: "a whole number",
    "int_parsing_size": lambda _: "a whole number that is not so large",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "float_parsing": lambda _: "a number",
    "finite_number": lambda _: "a finite number",
    "bool_type": lambda _: "true or false",
    "bool_parsing": lambda _: "true or false",
    "string_type": lambda _: "text",
    "string_too_long": lambda facts: f"at most {facts['max_length']} characters",
    "string_pattern_mismatch": lambda facts: _NAMES_IN_WORDS.get(
        facts["pattern"], f"text like {facts['pattern']}"
    ),
    "literal_error": lambda facts: f"one of {facts['expected']}",
    "enum": lambda facts: f"one of {facts['expected']}",
    "tuple_type": lambda _: "a list",
    "too_short": lambda facts: f"a list of at least {facts['min_length']}",
    "too_long": lambda facts: f"a list of at most {facts['max_length']}",
    "greater_than": lambda facts: f"a number above {facts['gt']}",
    "greater_than_equal": lambda facts: f"a number of at least {facts['ge']}",
    "less_than": lambda facts: f"a number below {facts['lt']}",
    "less_than_equal": lambda facts: f"a number of at most {facts['le']}",
    "model_type": lambda _: "a table of settings",
    "dict_type": lambda _: "a table of settings",
    "json_invalid": lambda facts: f"JSON ({facts['error']})",
}
"""What was expected, by the type of a pydantic error and what pydantic says of it."""


def find_field(details: Details) -> str:
    """Return which setting is wrong, as ``loss.l1_weight``."""
    said: Details = details.get("ctx", {})
    return str(said.get("where", ".".join(str(part) for part in details["loc"])))


def describe_expected(details: Details) -> str:
    """Return what would have been right."""
    describe = _EXPECTED.get(details["type"])
    if describe is not None:
        return describe(details.get("ctx", {}))
    # Messages of our own validators.
    return str(details["msg"]).removeprefix("Value error, ")


def describe_found(details: Details) -> str:
    """Return what was there instead."""
    if details["type"] == "extra_forbidden":
        return find_field(details)
    found = details.get("ctx", {}).get("found")
    return repr(details["input"]) if found is None else str(found)


def suggest(details: Details, settings: type[BaseModel]) -> str:
    """Return what to do about a wrong setting.

    Args:
        details: What pydantic says of it.
        settings: The class of all settings, whose names are searched for one that may have been meant.
    """
    field, value = find_field(details), details["input"]
    if details["type"] == "extra_forbidden":
        names = list(list_settings(settings))
        tables = [
            name
            for name, setting in settings.model_fields.items()
            if isinstance(setting.default, BaseModel)
        ]
        meant = _find_similar(field, names + tables)
        return (
            f"did you mean {' or '.join(meant)}?"
            if meant
            else "docs/training.md lists all settings"
        )
    if isinstance(value, str) and "=" in value:
        return "give each setting by itself"
    if details["type"] == "tuple_type":
        return f"write it as a TOML list: '{field}={_as_list(value)}'"
    if details["type"] == "string_type" and isinstance(value, int | float):
        return f"put it in quotes, as TOML has it: '{field}=\"{value}\"'"
    if details["type"] in ("model_type", "dict_type"):
        return (
            f"name a setting in it: {field}.NAME = ..."
            if field
            else "docs/training.md lists all settings"
        )
    return str(details.get("ctx", {}).get("remedy", "fix the recipe"))


def list_settings(settings: type[BaseModel], table: str = "") -> Iterator[str]:
    """Yield the names of all settings, those in tables with the table's name before a dot."""
    for name, field in settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from list_settings(type(field.default), f"{table}{name}.")
        else:
            yield f"{table}{name}"


def _as_list(value: object) -> str:
    """Return what was meant as a list: shells take the quotes away."""
    if not isinstance(value, str):
        return json.dumps([value], default=str)
    words = [word.strip(" '\"") for word in value.strip("[] ").split(",")]
    return json.dumps([word for word in words if word] or ["..."])


def _find_similar(field: str, names: list[str]) -> list[str]:
    """Return the settings of the same name in other tables, or else of a similar name."""
    last = field.rpartition(".")[2]
    same = [name for name in names if name.rpartition(".")[2] == last]
    if same:
        return same
    similar = difflib.get_close_matches(field, names, n=1, cutoff=0.7)
    if similar:
        return similar
    closest = difflib.get_close_matches(
        last, [name.rpartition(".")[2] for name in names], n=1, cutoff=0.7
    )
    return [name for name in names if closest and name.rpartition(".")[2] == closest[0]]
