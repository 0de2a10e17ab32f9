"""Options of a model accept valid values, and refuse others with a list of the valid ones."""

from __future__ import annotations

import pytest

from oasis_gan import Option

PLANE = Option(
    name="plane",
    help="The plane to slice in.",
    default="axial",
    choices=("axial", "coronal", "all"),
)
TEXTURE = Option(
    name="texture", help="How textured the output is.", default=0.75, minimum=0, maximum=1
)
ROUNDS = Option(name="rounds", help="How often neighbours are averaged.", default=1, minimum=0)
FLIP = Option(name="flip", help="Whether left and right are averaged.", default=False)
WORD = Option(name="word", help="A word.", default="none")


@pytest.mark.parametrize(
    ("option", "typed", "value"),
    [
        (PLANE, "all", "all"),
        (TEXTURE, "0.5", 0.5),
        (TEXTURE, "1", 1.0),
        (TEXTURE, 0.25, 0.25),
        (ROUNDS, "3", 3),
        (FLIP, "true", True),
        (FLIP, False, False),
        (WORD, "some", "some"),
    ],
)
def test_a_value_may_be_typed(option: Option, typed: object, value: object) -> None:
    parsed = option.parse(typed)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("option", "typed", "expected"),
    [
        (PLANE, "oblique", "axial, coronal or all"),
        (TEXTURE, "2", "a number from 0 to 1"),
        (TEXTURE, "nan", "a number from 0 to 1"),
        (TEXTURE, "rough", "a number from 0 to 1"),
        (ROUNDS, "1.5", "a whole number of at least 0"),
        (ROUNDS, "-1", "a whole number of at least 0"),
        (FLIP, "yes", "true or false"),
    ],
)
def test_an_invalid_value_is_refused_with_the_valid_ones(
    option: Option, typed: str, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"^{expected}$"):
        option.parse(typed)


def test_an_invalid_default_is_a_mistake_of_the_plugin() -> None:
    with pytest.raises(ValueError, match="a number from 0 to 1"):
        Option(
            name="texture", help="How textured the output is.", default=2.0, minimum=0, maximum=1
        )
