"""The certificate in a sidecar, which anybody may have edited, and the evaluation that it holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..io.publishing import Identity
from .comparison import Bounds
from .evaluating import Evaluation, Region
from .measures import NOTED, SECTIONS, Curve, Scores, Section, Value

_Figures = dict[str, float | None]


class RegionRecord(BaseModel):
    """A region has a size, and in further fields its figures by section and measure."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, _Figures] = Field(init=False)

    voxels: int
    volume_ml: float

    def figures_of(self, section: str) -> _Figures | None:
        """Return the figures of a section; None if it was not measured."""
        return self.__pydantic_extra__.get(section)


class CertificateRecord(BaseModel):
    """What a certificate holds, as far as an evaluation can be made of it again."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    form: Annotated[str, Field(alias="schema")]
    segmenter: str
    output_sha256: str
    versions: dict[str, str]
    settings: dict[str, Any] = {}
    subject: str
    files: dict[str, dict[str, Any]]
    mask: str
    range: dict[str, Annotated[list[float], Field(min_length=2, max_length=2)]]
    tissues: dict[str, RegionRecord]
    structures: dict[str, RegionRecord]
    slices: dict[str, dict[str, Curve]]
    notes: list[str]

    @classmethod
    def read(cls, certificate: object) -> CertificateRecord | None:
        """Return what a sidecar holds under ``evaluation``; None if it is no certificate."""
        try:
            return cls.model_validate(certificate)
        except ValidationError:
            return None

    def restore(self, files: Mapping[str, Identity]) -> Evaluation:
        """Return the evaluation that was certified.

        Figures have the digits that the certificate has of them. The notes are those of the
        certificate, which say why a figure is missing.

        Args:
            files: Names and hashes of what was read.
        """
        records = {**self.tissues, **self.structures}
        bounds = self._restore_bounds()
        scores = {}
        for section in SECTIONS:
            regions = _restore_section(section, records, bounds.get(section.key))
            if regions:
                scores[section.key] = regions
        return Evaluation(
            subject=self.subject,
            files=files,
            mask=self.mask,
            regions=_restore_regions(self.tissues),
            structures=_restore_regions(self.structures),
            bounds=bounds,
            scores=scores,
            curves=self.slices,
            notes=tuple(self.notes),
        )

    def _restore_bounds(self) -> dict[str, Bounds]:
        return {contrast: (low, high) for contrast, (low, high) in self.range.items()}


def _restore_regions(records: Mapping[str, RegionRecord]) -> dict[str, Region]:
    return {name: Region(record.voxels, record.volume_ml) for name, record in records.items()}


def _restore_section(
    section: Section,
    records: Mapping[str, RegionRecord],
    bounds: Bounds | None,
) -> dict[str, Scores]:
    """Return by region the scores of a section."""
    regions: dict[str, Scores] = {}
    for name, record in records.items():
        figures = record.figures_of(section.key)
        if figures is not None:
            regions[name] = _restore_scores(section, figures, bounds)
    return regions


def _restore_scores(section: Section, figures: _Figures, bounds: Bounds | None) -> Scores:
    scores: dict[str, Value] = {}
    for key in section.keys:
        value = figures.get(key)
        scores[key] = NOTED if value is None else value
    # JSON has no infinity, which the PSNR of equal volumes is.
    is_constant = bounds is None or bounds[0] == bounds[1]
    if scores.get("psnr") is NOTED and scores.get("rmse") == 0 and not is_constant:
        scores["psnr"] = math.inf
    return scores
