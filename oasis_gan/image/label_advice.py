"""What an error about a label map advises: which option says what the values mean, and which label sets have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .label_sets import LABEL_SETS, LabelSets

OWN_TABLE = "a table of your own (TSV: index, tissue)"
"""What a remedy calls the table that `oasis_gan.io.label_tables` reads."""


@dataclass(frozen=True)
class LabelAdvice:
    """How a user says what the values of a label map mean.

    Args:
        option: The parameter to say it with, in backticks; for one of several sources with its name and ``=``.
        label_sets: The sets that may be named with it.
    """

    option: str = "`labels`"
    label_sets: LabelSets = LABEL_SETS

    def choose(self, name: str) -> str:
        """Return what a user types to say that values are of the label set ``name``."""
        return f"{self.option}{name}" if self.option.endswith("=") else f"{self.option} {name}"

    def remedy_for(self, values: Iterable[int], otherwise: str) -> str:
        """Return what to do about values of which it is unknown what they mean.

        Args:
            values: All values of the map.
            otherwise: What to do where no set has them.
        """
        fitting = self.label_sets.find_fitting(values)
        if not fitting:
            return otherwise
        choices = " or ".join(map(self.choose, fitting))
        return f"they fit {' and '.join(fitting)}: say {choices}, or give {self.option} {OWN_TABLE}"


ADVICE = LabelAdvice()
"""The advice where no plugin brings label sets."""
