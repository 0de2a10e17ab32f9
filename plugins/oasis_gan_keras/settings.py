"""Settings that are checked, and whose faults are told in one sentence each: what every recipe is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError, PydanticKnownError

from oasis_gan import OasisGanError, Plane

from .sentences import describe_expected, describe_found, find_field, suggest

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""


class Settings(BaseModel):
    """Settings that cannot be changed once made, and refuse names they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


SomeSettings = TypeVar("SomeSettings", bound=Settings)


def parse_settings(kind: type[SomeSettings], settings: Any) -> SomeSettings:  # noqa: ANN401 - whatever a TOML file holds
    """Return checked settings, or raise `OasisGanError` naming the first that is wrong."""
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        details = error.errors()[0]
        raise OasisGanError(
            f"recipe: {find_field(details)}".removesuffix(": "),
            expected=describe_expected(details),
            found=describe_found(details),
            remedy=suggest(details, kind),
        ) from None


def one_of(table: Mapping[str, object]) -> AfterValidator:
    """Return a check that a setting is one of the names in a table, with what was added to it since."""

    def check(name: str) -> str:
        if name not in table:
            raise PydanticKnownError("literal_error", {"expected": " or ".join(map(repr, table))})
        return name

    return AfterValidator(check)


def require_unique_planes(planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
    """Return planes, or raise what pydantic reports if one is there twice."""
    for plane in planes:
        if planes.count(plane) > 1:
            times = "twice" if planes.count(plane) == 2 else f"{planes.count(plane)} times"
            raise setting_error("planes", "each plane once", f"{plane} {times}")
    return planes


def setting_error(
    where: str, expected: str, found: object, remedy: str = "fix the recipe"
) -> PydanticCustomError:
    """Return what pydantic raises where one setting does not go with another."""
    facts = {"where": where, "expected": expected, "found": str(found), "remedy": remedy}
    return PydanticCustomError("setting_error", "{expected}", facts)
