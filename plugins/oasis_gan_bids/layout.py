"""What lies where in a BIDS dataset: its images, with the entities that their names hold.

Names: https://bids-specification.readthedocs.io/en/stable/common-principles.html#filenames. `ancpbids` takes them
apart by the BIDS schema, so that ``run-01`` is ``run-1``. It is not left to search a dataset: it follows links in
circles, takes a time that grows with the square of the participants, and ``sub-01-b`` for ``sub-01``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from oasis_gan import OasisGanError, walk_files

DESCRIPTION = "dataset_description.json"
_ENTITY = "[a-zA-Z]+-[a-zA-Z0-9+]+_"
_IMAGE = re.compile(rf"(?:{_ENTITY})+[a-zA-Z0-9]+(?i:\.nii(?:\.gz)?)")
_PARTICIPANT = "sub-"
_NOT_BIDS = {"sourcedata", "code"}  # folders of a dataset whose content is anybody's


@dataclass(frozen=True, eq=False)
class BidsFile:
    """A file of a dataset.

    Args:
        path: Where it is.
        home: The folder of its participant's folder: the dataset itself, or a derivative of it.
        entities: Key and value of each entity of its name.
        suffix: What kind of data it holds, such as ``dseg`` or ``T1w``.
    """

    path: Path
    home: Path
    entities: Mapping[str, str]
    suffix: str

    def entity(self, key: str) -> str:
        """Return the value of an entity, empty if the name does not have it."""
        return self.entities.get(key, "")


def listed(
    root: Path, *, derivatives: bool = True, report: Callable[[OSError], None] = lambda error: None
) -> list[BidsFile]:
    """Return the images of a dataset in a stable order, without opening one.

    Args:
        root: The folder of a dataset, raw or derivative, or of a participant or a session in it.
        derivatives: Whether those of the derivatives in it are listed too.
        report: Told about each folder that cannot be listed.

    Raises:
        OasisGanError: If it is no folder.
    """
    if not root.is_dir():
        remedy = "name the folder of a dataset"
        raise OasisGanError(root, expected="a BIDS dataset", found="no such folder", remedy=remedy)
    paths = sorted(_paths(root, derivatives, report), key=lambda path: path.parts)
    return [_file(root, path) for path in paths]


def _file(root: Path, relative: Path) -> BidsFile:
    # Slow to import, and needed by nobody else.
    from ancpbids import model_latest as schema
    from ancpbids.utils import parse_bids_name

    name = parse_bids_name(relative.name)
    entities = {
        key: str(schema.process_entity_value(key, value)) for key, value in name["entities"].items()
    }
    # OASIS-3 is handed out with sess- for ses-.
    if "sess" in entities:
        entities.setdefault("ses", entities.pop("sess"))
    return BidsFile(root / relative, root / _home(relative), entities, name["suffix"])


def _home(relative: Path) -> Path:
    """Return the folder of a file's participant's folder; where it lies in none, the dataset or the derivative."""
    folders = relative.parts[:-1]
    depth = next(
        (depth for depth, name in enumerate(folders) if name.startswith(_PARTICIPANT)), None
    )
    if depth is None:
        depth = 2 if folders[:1] == ("derivatives",) else 0
    return Path(*folders[:depth])


def _paths(root: Path, derivatives: bool, report: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield the paths below ``root`` of files named as BIDS names them, in a participant's folder or after one."""
    left_out = _NOT_BIDS if derivatives else _NOT_BIDS | {"derivatives"}
    of_participant = any(part.startswith(_PARTICIPANT) for part in root.absolute().parts[-3:])

    def enter(folder: PurePath) -> bool:
        return len(folder.parts) > 1 or folder.name not in left_out

    for path in walk_files(root, enter, report):
        relative = path.relative_to(root)
        in_participant = of_participant or any(
            part.startswith(_PARTICIPANT) for part in relative.parts
        )
        if in_participant and _IMAGE.fullmatch(path.name):
            yield relative
