"""A file of a BIDS dataset, and what the entities in its name say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oasis_gan import lies_with_other_data

LABELS = "dseg"
"""The BIDS suffix of label maps."""
T1W = "T1w"
"""The BIDS suffix of T1-weighted MRIs."""
# Two of them may differ between a label map and the scan that it was made from.
_DERIVATIVE_ENTITIES = {
    "space",
    "res",
    "den",
    "desc",
    "label",
    "seg",
    "atlas",
    "scale",
    "hemi",
}
"""Entities that say how a file was made, not from which scan.

https://bids-specification.readthedocs.io/en/stable/derivatives/common-data-types.html
"""
_NATIVE_SPACES = {"", "orig", "T1w"}
"""Values of ``space`` for a volume in the space of the scan."""

Visit = tuple[str, str]
"""The labels of a participant and a session."""


@dataclass(frozen=True, eq=False)
class BidsFile:
    """A file that belongs to a BIDS dataset.

    Args:
        path: Where it is.
        home: The folder that holds its participant: the dataset itself, or a derivative of it.
        entities: Key and value of each entity of its name.
        suffix: What kind of data it holds, such as ``dseg`` or ``T1w``.
    """

    path: Path
    home: Path
    entities: Mapping[str, str]
    suffix: str

    @property
    def name(self) -> str:
        """Return the name of the file without its folder."""
        return self.path.name

    @property
    def participant(self) -> str:
        """Return the label of the participant, without ``sub-``."""
        return self.entity("sub")

    @property
    def session(self) -> str:
        """The label of the session, without ``ses-``; empty if the dataset has no sessions."""
        return self.entity("ses")

    @property
    def visit(self) -> Visit:
        """Return the participant and the session."""
        return self.participant, self.session

    @property
    def space(self) -> str:
        """The space that the volume lies in; empty for that of the scan."""
        space = self.entity("space")
        return "" if space in _NATIVE_SPACES else space

    @property
    def scan_entities(self) -> dict[str, str]:
        """Return the entities that identify the scan from which the file was made."""
        entities = self.entities.items()
        return {key: value for key, value in entities if key not in _DERIVATIVE_ENTITIES}

    @property
    def is_anatomy(self) -> bool:
        """Whether the file lies with anatomy, not with functional or other data."""
        return not lies_with_other_data(self.path, self.home)

    def entity(self, key: str) -> str:
        """Return the value of an entity, empty if the name does not have it."""
        return self.entities.get(key, "")
