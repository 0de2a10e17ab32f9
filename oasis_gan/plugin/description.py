"""Give all descriptions a base class, and check the types of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model


@dataclass(frozen=True, kw_only=True)
class Description:
    """An object that a plugin offers.

    Args:
        name: What the user types to choose it.
        summary: One line for ``oasis-gan plugins``.
    """

    name: str
    summary: str


def find_wrong_field(description: object, kind: type) -> tuple[str, object] | None:
    """Return the declaration and the value of the first field of a wrong type.

    Args:
        description: An object of ``kind``.
        kind: The dataclass that declares the fields; a subclass in a plugin may add others.

    Returns:
        For example ``("summary: str", None)``, or None if all types are right.
    """
    declared = _list_fields(kind)
    values = {name: getattr(description, name) for name in declared}
    try:
        _make_model(kind).model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        # A fault may lie deep inside the value of a field; the field is the outermost.
        name = str(first["loc"][0])
        return f"{name}: {declared[name].type}", values[name]
    return None


def _list_fields(kind: type) -> Mapping[str, Field[Any]]:
    return {field.name: field for field in fields(kind)}


@cache
def _make_model(kind: type) -> type[BaseModel]:
    """Return a pydantic model with the fields of a dataclass."""
    hints = get_type_hints(kind)
    config = ConfigDict(strict=True, arbitrary_types_allowed=True)
    declared: dict[str, Any] = {name: (hints[name], ...) for name in _list_fields(kind)}
    return create_model(kind.__name__, __config__=config, **declared)
