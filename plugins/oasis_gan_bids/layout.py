"""What lies where in a BIDS dataset: its images and label tables, with the entities that their names hold.

Names: https://bids-specification.readthedocs.io/en/stable/common-principles.html#filenames. `ancpbids` takes them
apart by the BIDS schema, so that ``run-01`` is ``run-1``. It is not left to search a dataset: it follows links in
circles, takes a time that grows with the square of the participants, and ``sub-01-b`` for ``sub-01``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oasis_gan import OasisGanError

DESCRIPTION = "dataset_description.json"
_ENTITY = "[a-zA-Z]+-[a-zA-Z0-9+]+_"
_IMAGE = re.compile(rf"(?:{_ENTITY})+[a-zA-Z0-9]+(?i:\.nii(?:\.gz)?)")
_TABLE = re.compile(rf"(?:{_ENTITY})*dseg\.tsv")
_PARTICIPANT = "sub-"
_NOT_BIDS = {"sourcedata", "code"}  # folders of a dataset whose content is anybody's


@dataclass(frozen=True, eq=False)
class BidsFile:
    """A file of a dataset.

    Args:
        path: Where it is.
        home: The folder of its participant's folder: the dataset itself, or a derivative of it.
        entities: Key and value of each entity of its name; those that inherit the file have all of them.
        suffix: What kind of data it holds, such as ``dseg`` or ``T1w``.
    """

    path: Path
    home: Path
    entities: Mapping[str, str]
    suffix: str

    @property
    def is_table(self) -> bool:
        """Whether it says what labels mean."""
        return self.path.name.endswith(".tsv")

    def entity(self, key: str) -> str:
        """Return the value of an entity, empty if the name does not have it."""
        return self.entities.get(key, "")


def listed(root: Path, *, derivatives: bool = True) -> list[BidsFile]:
    """Return the images and label tables of a dataset in a stable order, without opening one.

    Args:
        root: The folder of a dataset, raw or derivative.
        derivatives: Whether those of the derivatives in it are listed too.

    Raises:
        OasisGanError: If it is no folder.
    """
    if not root.is_dir():
        remedy = "name the folder of a dataset"
        raise OasisGanError(root, expected="a BIDS dataset", found="no such folder", remedy=remedy)
    paths = sorted(_paths(root, derivatives), key=lambda path: path.parts)
    return [_file(root, path) for path in paths]


def _file(root: Path, relative: Path) -> BidsFile:
    # Slow to import, and needed by nobody else.
    from ancpbids import model_latest as schema
    from ancpbids.utils import parse_bids_name

    folders = relative.parts[:-1]
    depth = next((depth for depth, name in enumerate(folders) if name.startswith(_PARTICIPANT)), len(folders))
    # A table for all there is, dseg.tsv, has no entities, and is no name to ancpbids.
    name = parse_bids_name(relative.name) or {"entities": {}, "suffix": "dseg"}
    entities = {key: str(schema.process_entity_value(key, value)) for key, value in name["entities"].items()}
    return BidsFile(root / relative, root.joinpath(*folders[:depth]), entities, name["suffix"])


def _paths(root: Path, derivatives: bool) -> Iterator[Path]:
    """Yield the paths below ``root`` of files named as BIDS names them; links to folders are not followed."""
    left_out = _NOT_BIDS if derivatives else _NOT_BIDS | {"derivatives"}
    for parent, folders, names in os.walk(root):
        relative = Path(parent).relative_to(root)
        top = relative == Path()
        folders[:] = sorted(name for name in folders if name[0] != "." and not (top and name in left_out))
        in_participant = any(name.startswith(_PARTICIPANT) for name in relative.parts)
        for name in names:
            if _TABLE.fullmatch(name) or (in_participant and _IMAGE.fullmatch(name)):
                yield relative / name
