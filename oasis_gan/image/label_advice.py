"""Give advice in an error about a label map.

It names the option that says what the values mean, and the label sets that have the values.
"""

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
        option: The parameter to say it with, in backticks; for one of several sources with its
            name and ``=``.
        label_sets: The sets that the parameter may name.
    """

    option: str = "`labels`"
    label_sets: LabelSets = LABEL_SETS

    def choose(self, name: str) -> str:
        """Return what a user types to say that values are of the label set ``name``."""
        separator = "" if self.option.endswith("=") else " "
        return f"{self.option}{separator}{name}"

    def remedy_for(self, values: Iterable[int], otherwise: str) -> str:
        """Return what to do about values whose meaning is unknown.

        Args:
            values: All values of the map.
            otherwise: What to do if no set has them.
        """
        names = self.label_sets.find_fitting(values)
        if not names:
            return otherwise
        fit = f"they fit {' and '.join(names)}"
        choices = " or ".join(map(self.choose, names))
        return f"{fit}: say {choices}, or give {self.option} {OWN_TABLE}"


ADVICE = LabelAdvice()
"""The advice if no plugin brings label sets."""
