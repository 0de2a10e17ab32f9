"""A translator that finds three tissues: a T1w and a mask of the brain in, labels out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oasis_gan import (
    OASIS,
    CleanVolume,
    Computation,
    Mask,
    ModelCard,
    OasisGanError,
    Percentiles,
    Progress,
    Translation,
    Volume,
    Voxels,
    describe_fault,
    ignore_progress,
    require_unique_keys,
)

from .bias_field import remove_bias_field
from .mixture import segment

_MOST_BYTES = 2**16
_CORRECTED = 0.5  # of the work
_OTHER_AXES = ((1, 2), (0, 2), (0, 1))  # for each axis

Box = tuple[slice, ...]


class TissueModelError(OasisGanError):
    """A model folder does not hold what it should."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            path,
            expected="a model of the kind gaussian-mixture",
            found=found,
            remedy="copy the whole model folder again",
        )


class ModelFile(BaseModel):
    """What ``model.json`` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    kind: Literal["gaussian-mixture"]
    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)
    version: str = Field(pattern=r"^[A-Za-z0-9.+-]+$", max_length=100)


def read_card(folder: Path) -> ModelCard:
    """Return what goes into the model in a folder, and what comes out.

    Raises:
        OasisGanError: If it is no model of this kind.
    """
    model = _read_model_file(folder / "model.json")
    return ModelCard(
        name=model.name,
        version=model.version,
        sources={"t1w": Percentiles(), "brain": OASIS},
        target=OASIS,
        output="dseg",
    )


def _read_model_file(path: Path) -> ModelFile:
    if not path.is_file():
        raise TissueModelError(path, "no such file")
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES)
    require_unique_keys(data, path)
    try:
        return ModelFile.model_validate_json(data)
    except ValidationError as error:
        raise TissueModelError(path, describe_fault(error)) from None


class TissueSegmenter:
    """A translator that finds the tissues in the brain of a T1w.

    Args:
        card: What goes in, and what comes out.
    """

    def __init__(self, card: ModelCard) -> None:
        self._card = card
        software = {name: version(name) for name in ("simpleitk", "numpy")}
        self.computation = Computation(
            precision="float32",
            software=software,
            threads=1,
        )

    @property
    def card(self) -> ModelCard:
        """What goes in, and what comes out."""
        return self._card

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Return the tissues of a T1w where the other source has a label, whichever it is.

        Raises:
            OasisGanError: If the brain does not have three intensities, or N4 fails.
        """
        image = sources["t1w"]
        labels = np.zeros(image.voxels.shape, np.int32)
        brain = np.asarray(sources["brain"].voxels != 0)
        if brain.any():
            box = _find_box(brain)
            labels[box] = self._segment(image, brain, box, progress)
        progress(1.0)
        volume = Volume(labels, image.geometry, image.notes)
        return Translation(volume=volume)

    def _segment(self, image: CleanVolume, brain: Mask, box: Box, progress: Progress) -> Voxels:
        """Return the tissues in a box."""
        intensities = np.ascontiguousarray(image.voxels[box], np.float32)
        mask = brain[box]
        corrected = remove_bias_field(intensities, mask, image.geometry.spacing)
        progress(_CORRECTED)
        return segment(corrected, mask)


def _find_box(mask: Mask) -> Box:
    """Return the smallest box with a mask in it."""
    box = []
    for others in _OTHER_AXES:
        indices = np.flatnonzero(mask.any(axis=others))
        first = int(indices[0])
        last = int(indices[-1])
        box.append(slice(first, last + 1))
    return tuple(box)
