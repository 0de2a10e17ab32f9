"""List the images of a BIDS dataset, with the entities in their names.

Names: https://bids-specification.readthedocs.io/en/stable/common-principles.html#filenames.
`ancpbids` parses them by the BIDS schema, so that ``run-01`` is ``run-1``. It does not search the
dataset: it follows links in circles, takes a time that grows with the square of the participants,
and reads ``sub-01-b`` as ``sub-01``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from oasis_gan import OasisGanError, walk_files

DESCRIPTION = "dataset_description.json"
_ENTITY = "[a-zA-Z]+-[a-zA-Z0-9+]+_"
_IMAGE = re.compile(rf"(?:{_ENTITY})+[a-zA-Z0-9]+(?i:\.nii(?:\.gz)?)")
_PARTICIPANT = "sub-"
_NOT_BIDS = {"sourcedata", "code"}
"""Folders of a dataset that may hold anything."""

Report = Callable[[OSError], None]
"""Called with the error of each folder that cannot be listed."""


@dataclass(frozen=True, eq=False)
class BidsFile:
    """A file of a dataset.

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

    def entity(self, key: str) -> str:
        """Return the value of an entity, empty if the name does not have it."""
        return self.entities.get(key, "")


def _ignore_error(_: OSError) -> None:
    """Do nothing about a folder that cannot be listed."""


def list_images(
    root: Path, *, derivatives: bool = True, report: Report = _ignore_error
) -> list[BidsFile]:
    """Return the images of a dataset in a stable order, without opening any.

    Args:
        root: The folder of a dataset, raw or derivative, or of a participant or a session in it.
        derivatives: Whether to list the images of its derivatives too.
        report: Called for each folder that cannot be listed.

    Raises:
        OasisGanError: If ``root`` is no folder.
    """
    if not root.is_dir():
        raise OasisGanError(
            root,
            expected="a BIDS dataset",
            found="no such folder",
            remedy="name the folder of a dataset",
        )
    paths = sorted(_find_images(root, derivatives, report), key=lambda path: path.parts)
    return [_parse(root, path) for path in paths]


def _parse(root: Path, relative: Path) -> BidsFile:
    # Slow to import, and only needed here.
    from ancpbids import model_latest as schema
    from ancpbids.utils import parse_bids_name

    name = parse_bids_name(relative.name)
    entities = {
        key: str(schema.process_entity_value(key, value)) for key, value in name["entities"].items()
    }
    # OASIS-3 is distributed with sess- instead of ses-.
    if "sess" in entities:
        entities.setdefault("ses", entities.pop("sess"))
    return BidsFile(
        path=root / relative,
        home=root / _home_of(relative),
        entities=entities,
        suffix=name["suffix"],
    )


def _home_of(relative: Path) -> Path:
    """Return the folder that holds a file's participant, or the dataset or derivative it is in."""
    folders = relative.parts[:-1]
    for depth, name in enumerate(folders):
        if name.startswith(_PARTICIPANT):
            return Path(*folders[:depth])
    is_derivative = folders[:1] == ("derivatives",)
    return Path(*folders[:2]) if is_derivative else Path()


def _find_images(root: Path, derivatives: bool, report: Report) -> Iterator[Path]:
    """Yield the paths below ``root`` of BIDS images in or below a participant's folder."""
    skipped = _NOT_BIDS if derivatives else _NOT_BIDS | {"derivatives"}
    is_in_participant = _names_participant(root.absolute().parts[-3:])

    def enter(folder: PurePath) -> bool:
        return len(folder.parts) > 1 or folder.name not in skipped

    for path in walk_files(root, enter, report):
        relative = path.relative_to(root)
        has_participant = is_in_participant or _names_participant(relative.parts)
        if has_participant and _IMAGE.fullmatch(path.name):
            yield relative


def _names_participant(parts: Sequence[str]) -> bool:
    return any(part.startswith(_PARTICIPANT) for part in parts)
