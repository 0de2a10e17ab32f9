"""The types of settings that are given by name: kinds of volumes, sources and label sets."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, PlainSerializer, PlainValidator
from pydantic_core import PydanticKnownError

from oasis_gan import LABEL_SETS, LabelSet

from .limits import MAX_NAME
from .settings import setting_error

Side = Literal["labels", "image"]
_NAME = re.compile(f"[A-Za-z][A-Za-z0-9_-]{{,{MAX_NAME - 1}}}")


def _require_source_name(name: str) -> str:
    """Reject a name that cannot be typed before ``=``."""
    if not _NAME.fullmatch(name):
        expected = f"names of up to {MAX_NAME} letters, digits, _ and -, beginning with a letter"
        raise setting_error("sources", expected, repr(name), "rename it")
    return name


SourceName = Annotated[str, AfterValidator(_require_source_name)]
"""The name of one of several sources in a recipe."""


def _find_label_set(labels: object) -> LabelSet:
    """Return a label set, or the built-in one with a name.

    The tool has already found the label sets of plugins.
    """
    if isinstance(labels, LabelSet):
        return labels
    if not isinstance(labels, str):
        raise PydanticKnownError("string_type")
    known = LABEL_SETS.find(labels)
    if known is None:
        raise ValueError(f"one of {', '.join(LABEL_SETS)}")
    return known


NamedLabelSet = Annotated[
    LabelSet,
    PlainValidator(_find_label_set),
    PlainSerializer(lambda labels: labels.name, return_type=str),
]
"""A label set, which a recipe file gives by name."""
