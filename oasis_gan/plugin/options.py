"""Describe the options of a trained model, which its user may choose."""

from __future__ import annotations

from dataclasses import dataclass

Value = str | float | int | bool


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option that a model has, such as the slicing plane.

    Args:
        name: What the user types before the equals sign: ``--option NAME=VALUE``.
        help: One sentence for ``oasis-gan models NAME``.
        default: The default value; its type is that of the option.
        choices: The values to choose from; empty if any value within the limits is valid.
        minimum: The smallest valid number, or None if there is no limit.
        maximum: The largest valid number, or None if there is no limit.

    Raises:
        ValueError: If the default is not one of the choices, or is outside the limits.
    """

    name: str
    help: str
    default: Value
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        self.parse(self.default)

    @property
    def expected(self) -> str:
        """Describe the valid values: ``axial, coronal or all``, ``a number from 0 to 1``."""
        if len(self.choices) > 1:
            return f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
        if self.choices:
            return self.choices[0]
        # To Python true and false are whole numbers too, so they come first.
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return "a word"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        if self.minimum is not None and self.maximum is not None:
            return f"{kind} from {self.minimum:g} to {self.maximum:g}"
        if self.minimum is not None:
            return f"{kind} of at least {self.minimum:g}"
        if self.maximum is not None:
            return f"{kind} of at most {self.maximum:g}"
        return kind

    def parse(self, value: object) -> Value:
        """Convert a value, or the text that a user typed, to a value of this option.

        Raises:
            ValueError: If the value is not valid; the message is `expected`.
        """
        if self.choices or isinstance(self.default, str):
            return self._parse_word(str(value))
        if isinstance(self.default, bool):
            return self._parse_flag(str(value).lower())
        return self._parse_number(str(value))

    def _parse_word(self, text: str) -> str:
        if self.choices and text not in self.choices:
            raise ValueError(self.expected)
        return text

    def _parse_flag(self, text: str) -> bool:
        if text not in {"true", "false"}:
            raise ValueError(self.expected)
        return text == "true"

    def _parse_number(self, text: str) -> float | int:
        parse = int if isinstance(self.default, int) else float
        try:
            number = parse(text)
        except ValueError:
            raise ValueError(self.expected) from None
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if self.maximum is None else self.maximum
        # Written this way so that NaN is refused too.
        if not low <= number <= high:
            raise ValueError(self.expected)
        return number
