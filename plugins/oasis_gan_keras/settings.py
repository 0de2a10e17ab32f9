"""Validated settings with one plain sentence for each error, of which recipes are made."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from oasis_gan import Plane, rename_settings

from .errors import WrongSettingError
from .sentences import Details, describe_expected, describe_found, find_field, suggest

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""


class Settings(BaseModel):
    """Settings that cannot be changed after creation and that reject unknown names.

    Names that settings had in an earlier version are accepted, but not written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    renamed: ClassVar[Mapping[str, str]] = {}
    """The present names of settings, by their earlier ones; a dot reaches into a table."""

    @model_validator(mode="before")
    @classmethod
    def _rename(cls, settings: Any) -> Any:  # noqa: ANN401 - whatever a TOML file holds
        """Move settings to their present names, and reject those that are given under both."""
        if not cls.renamed or not isinstance(settings, Mapping):
            return settings
        present = rename_settings(settings, cls.renamed)
        for earlier, name in cls.renamed.items():
            if _has_setting(present, earlier):
                raise setting_error(
                    earlier, f"{name} alone", "both", f"leave out {earlier}, its earlier name"
                )
        return present


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
        raise _make_setting_error(first, kind) from None


def _make_setting_error(details: Details, kind: type[Settings]) -> WrongSettingError:
    """Return one of the errors that pydantic found as a sentence."""
    return WrongSettingError(
        find_field(details),
        expected=describe_expected(details),
        found=describe_found(details),
        remedy=suggest(details, kind),
    )


def one_of(table: Mapping[str, object]) -> AfterValidator:
    """Return a validator that accepts the names in a table, even those that are added later."""
    return AfterValidator(partial(_require_known, table))


def _require_known(table: Mapping[str, object], name: str) -> str:
    """Return a name, or raise an error that pydantic reports if it is not in a table."""
    if name in table:
        return name
    names = " or ".join(map(repr, table))
    raise PydanticKnownError("literal_error", {"expected": names})


def require_unique_planes(planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
    """Return planes, or raise an error that pydantic reports if one of them is repeated."""
    for plane in planes:
        count = planes.count(plane)
        if count > 1:
            times = "twice" if count == 2 else f"{count} times"
            found = f"{plane} {times}"
            raise setting_error("planes", "each plane once", found)
    return planes


def _has_setting(settings: Mapping[str, Any], name: str) -> bool:
    """Whether a setting is given; a dot in its name reaches into a table."""
    table, dot, rest = name.partition(".")
    if not dot:
        return name in settings
    inner = settings.get(table)
    return isinstance(inner, Mapping) and _has_setting(inner, rest)


def setting_error(
    where: str,
    expected: str,
    found: object,
    remedy: str = "fix the recipe",
) -> PydanticCustomError:
    """Return the error for a validator to raise if a setting is wrong, or contradicts another.

    Args:
        where: The name of the setting.
        expected: What would be right.
        found: The value of the setting.
        remedy: What to do about it.
    """
    context = {
        "where": where,
        "expected": expected,
        "found": str(found),
        "remedy": remedy,
    }
    return PydanticCustomError("setting_error", "{expected}", context)
