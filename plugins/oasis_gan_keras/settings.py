"""Validated settings with one plain sentence for each error, of which recipes are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError, PydanticKnownError

from oasis_gan import OasisGanError, Plane

from .sentences import Details, describe_expected, describe_found, find_field, suggest

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""


class Settings(BaseModel):
    """Settings that cannot be changed after creation and that reject unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WrongSettingError(OasisGanError):
    """A setting of a recipe is wrong.

    Args:
        details: The pydantic error.
        kind: The class of all settings.
    """

    def __init__(self, details: Details, kind: type[Settings]) -> None:
        super().__init__(
            f"recipe: {find_field(details)}".removesuffix(": "),
            expected=describe_expected(details),
            found=describe_found(details),
            remedy=suggest(details, kind),
        )


SomeSettings = TypeVar("SomeSettings", bound=Settings)


def parse_settings(kind: type[SomeSettings], settings: Any) -> SomeSettings:  # noqa: ANN401 - whatever a TOML file holds
    """Return validated settings.

    Raises:
        WrongSettingError: If a setting is wrong; the message names the first one.
    """
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        first, *_ = error.errors()
        raise WrongSettingError(first, kind) from None


def one_of(table: Mapping[str, object]) -> AfterValidator:
    """Return a validator that accepts the names in a table, even those that are added later."""

    def check(name: str) -> str:
        if name not in table:
            names = " or ".join(map(repr, table))
            raise PydanticKnownError("literal_error", {"expected": names})
        return name

    return AfterValidator(check)


def require_unique_planes(planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
    """Return planes, or raise what pydantic reports if one of them is repeated."""
    for plane in planes:
        count = planes.count(plane)
        if count > 1:
            times = "twice" if count == 2 else f"{count} times"
            raise setting_error("planes", "each plane once", f"{plane} {times}")
    return planes


def setting_error(
    where: str, expected: str, found: object, remedy: str = "fix the recipe"
) -> PydanticCustomError:
    """Return the error for a validator to raise if a setting is wrong, or contradicts another.

    Args:
        where: The name of the setting.
        expected: What would be right.
        found: The value of the setting.
        remedy: What to do about it.
    """
    context = {"where": where, "expected": expected, "found": str(found), "remedy": remedy}
    return PydanticCustomError("setting_error", "{expected}", context)
