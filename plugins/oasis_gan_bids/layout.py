"""List the images of a BIDS dataset, with the entities in their names.

Names: https://bids-specification.readthedocs.io/en/stable/common-principles.html#filenames.
`ancpbids` parses them by the BIDS schema, so that ``run-01`` is ``run-1``. It does not search the
dataset: it follows links in circles, takes a time that grows with the square of the participants,
and reads ``sub-01-b`` as ``sub-01``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from oasis_gan import walk_files

from .bids_file import BidsFile
from .errors import NoSuchDatasetError

DESCRIPTION = "dataset_description.json"
# Only NIfTI: the other files of a dataset go with an image, or are no volumes.
_ENTITY = "[a-zA-Z]+-[a-zA-Z0-9+]+_"
_IMAGE = re.compile(rf"(?:{_ENTITY})+[a-zA-Z0-9]+(?i:\.nii(?:\.gz)?)")
_PARTICIPANT = "sub-"
_NOT_BIDS = {"sourcedata", "code"}
"""Folders of a dataset that may hold anything."""

Report = Callable[[OSError], None]
"""Called with the error of each folder that cannot be listed."""


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
        NoSuchDatasetError: If ``root`` is no folder.
    """
    if not root.is_dir():
        raise NoSuchDatasetError(root)
    paths = _find_images(root, derivatives, report)
    return [_parse(root, path) for path in sorted(paths)]


def _parse(root: Path, relative: Path) -> BidsFile:
    # Slow to import, and only needed here.
    from ancpbids.utils import parse_bids_name

    name = parse_bids_name(relative.name)
    return BidsFile(
        path=root / relative,
        home=root / _find_home(relative),
        entities=_normalise(name["entities"]),
        suffix=name["suffix"],
    )


def _normalise(entities: Mapping[str, str]) -> dict[str, str]:
    """Return entities as the BIDS schema writes them: a ``run`` of ``01`` is ``1``."""
    from ancpbids import model_latest as schema

    normal = {key: str(schema.process_entity_value(key, entities[key])) for key in entities}
    # OASIS-3 is distributed with sess- instead of ses-.
    if "sess" in normal:
        normal.setdefault("ses", normal.pop("sess"))
    return normal


def _find_home(relative: Path) -> Path:
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
    # The root may be the folder of a participant, of a session, or of a kind of data such as anat.
    is_in_participant = _names_participant(root.absolute().parts[-3:])

    def may_enter(folder: PurePath) -> bool:
        return len(folder.parts) > 1 or folder.name not in skipped

    for path in walk_files(root, may_enter, report):
        relative = path.relative_to(root)
        has_participant = is_in_participant or _names_participant(relative.parts)
        if has_participant and _IMAGE.fullmatch(path.name):
            yield relative


def _names_participant(parts: Sequence[str]) -> bool:
    return any(part.startswith(_PARTICIPANT) for part in parts)
