"""Describe errors in settings in plain words; pydantic writes its messages for programmers."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

Details = Mapping[str, Any]
"""One of the `errors` of a pydantic ``ValidationError``."""

_LIST_OF_SETTINGS = "docs/training.md lists all settings"
_SIMILARITY = 0.7  # of two names, from which one may be a misspelling of the other

_NAMES_IN_WORDS = {
    r"^[A-Za-z0-9]+$": "letters and digits only",
    r"^[A-Za-z0-9._-]+$": "letters, digits and . _ - only",
    r"^[A-Za-z0-9.+-]+$": "letters, digits and . + - only",
    "^[0-9a-f]{64}$": "64 digits from 0 to f",
}
_EXPECTED: Mapping[str, Callable[[Details], str]] = {
    "extra_forbidden": lambda _: "a setting of the recipe",
    "missing": lambda _: "a value",
    "int_type": lambda _: "a whole number",
    "int_parsing": lambda _: "a whole number",
    "int_parsing_size": lambda _: "a smaller whole number",
    "int_from_float": lambda _: "a whole number",
    "float_type": lambda _: "a number",
    "float_parsing": lambda _: "a number",
    "finite_number": lambda _: "a finite number",
    "bool_type": lambda _: "true or false",
    "bool_parsing": lambda _: "true or false",
    "string_type": lambda _: "text",
    "string_too_long": lambda context: f"at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: _describe_pattern(context["pattern"]),
    "literal_error": lambda context: f"one of {context['expected']}",
    "enum": lambda context: f"one of {context['expected']}",
    "tuple_type": lambda _: "a list",
    "too_short": lambda context: f"a list of at least {context['min_length']}",
    "too_long": lambda context: f"a list of at most {context['max_length']}",
    "greater_than": lambda context: f"a number above {context['gt']}",
    "greater_than_equal": lambda context: f"a number of at least {context['ge']}",
    "less_than": lambda context: f"a number below {context['lt']}",
    "less_than_equal": lambda context: f"a number of at most {context['le']}",
    "model_type": lambda _: "a table of settings",
    "dict_type": lambda _: "a table of settings",
    "json_invalid": lambda context: f"JSON ({context['error']})",
}
"""Descriptions of what was expected, by the type of a pydantic error, made from its context."""


def find_field(details: Details) -> str:
    """Return the name of the wrong setting, such as ``loss.l1_weight``."""
    location = ".".join(map(str, details["loc"]))
    return str(_read_context(details).get("where", location))


def describe_expected(details: Details) -> str:
    """Describe what would have been right."""
    describe = _EXPECTED.get(details["type"])
    if describe:
        return describe(_read_context(details))
    # The messages of our own validators are sentences already.
    return str(details["msg"]).removeprefix("Value error, ")


def describe_found(details: Details) -> str:
    """Describe what is there instead."""
    if details["type"] == "extra_forbidden":
        return find_field(details)
    found = _read_context(details).get("found")
    return repr(details["input"]) if found is None else str(found)


def describe_wrong_file(error: ValidationError) -> str:
    """Describe the first thing that is wrong with a file of settings, as what was found in it."""
    first, *_ = error.errors()
    details: Details = dict(first)
    field = find_field(details) or "the file"
    if details["type"] == "extra_forbidden":
        return f"{field}, which no such model has"
    expected = describe_expected(details)
    return f"{field}, where {expected} was expected"


def format_value(value: object) -> str:
    """Return the value of a setting as a recipe shows it."""
    return "none" if value is None else json.dumps(value)


def _read_context(details: Details) -> Details:
    """Return the limits and names that belong to an error."""
    context: Details = details.get("ctx", {})
    return context


def suggest(details: Details, settings: type[BaseModel]) -> str:
    """Return what to do about a wrong setting.

    Args:
        details: The pydantic error.
        settings: The class of all settings, which is searched for the name that may have been
            meant.
    """
    field = find_field(details)
    value = details["input"]
    kind = details["type"]
    if kind == "extra_forbidden":
        return _suggest_names(field, settings)
    if isinstance(value, str) and "=" in value:
        return "give each setting by itself"
    if kind == "tuple_type":
        return f"write it as a TOML list: '{field}={_format_as_list(value)}'"
    if kind == "string_type" and isinstance(value, int | float):
        return f"put it in quotes, as TOML has it: '{field}=\"{value}\"'"
    if kind in ("model_type", "dict_type"):
        return f"name a setting in it: {field}.NAME = ..." if field else _LIST_OF_SETTINGS
    remedy = _read_context(details).get("remedy", "fix the recipe")
    return str(remedy)


def _suggest_names(field: str, settings: type[BaseModel]) -> str:
    """Return a question about the names that may have been meant by an unknown one."""
    names = list(list_settings(settings))
    for name, setting in settings.model_fields.items():
        is_table = isinstance(setting.default, BaseModel)
        if is_table:
            names.append(name)
    similar = _find_similar(field, names)
    if not similar:
        return _LIST_OF_SETTINGS
    alternatives = " or ".join(similar)
    return f"did you mean {alternatives}?"


def list_settings(settings: type[BaseModel], table: str = "") -> Iterator[str]:
    """Yield the names of all settings, prefixed by the name of their table and a dot."""
    for name, field in settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from list_settings(type(field.default), f"{table}{name}.")
        else:
            yield f"{table}{name}"


def _describe_pattern(pattern: str) -> str:
    return _NAMES_IN_WORDS.get(pattern, f"text like {pattern}")


def _format_as_list(value: object) -> str:
    """Return a value as the TOML list that was probably meant; shells remove the quotes."""
    if not isinstance(value, str):
        return json.dumps([value], default=str)
    words = []
    for part in value.strip("[] ").split(","):
        word = part.strip(" '\"")
        if word:
            words.append(word)
    return json.dumps(words or ["..."])


def _find_similar(field: str, names: list[str]) -> list[str]:
    """Return the settings with the same name in other tables, or otherwise with a similar name."""
    last = _last_part(field)
    same = [name for name in names if _last_part(name) == last]
    if same:
        return same
    similar = difflib.get_close_matches(field, names, n=1, cutoff=_SIMILARITY)
    if similar:
        return similar
    last_parts = [_last_part(name) for name in names]
    closest = difflib.get_close_matches(last, last_parts, n=1, cutoff=_SIMILARITY)
    return [name for name in names if _last_part(name) in closest]


def _last_part(name: str) -> str:
    """Return the name of a setting without its tables."""
    return name.rpartition(".")[2]
