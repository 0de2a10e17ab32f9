"""How every subject of a run is translated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..image.encoding import FittedEncoding
from ..io.publishing import Identity
from ..plugin.exporters import Exporter
from ..plugin.model_references import ModelReference
from ..plugin.models import Translator
from ..plugin.portable import Portable
from .places import Layout, OutputFiles
from .reference_contrast import apply_contrast


@dataclass(frozen=True, kw_only=True)
class Job(Portable):
    """How every subject of a run is translated, and where outputs go.

    It can be pickled: another process that runs it writes the same files. Its relative paths are
    relative to the working directory of the process that runs it.

    Args:
        model: The model.
        exporter: The file format.
        datatype: The datatype in which voxels are stored.
        layout: Where outputs go.
        overwrite: Whether existing outputs are made again.
        update: Whether existing outputs are made again if they were made in another way.
        target: The encoding that gives outputs another contrast than the model's, if there is one.
        references: Names and hashes of the scans that every output depends on, by their use.
    """

    model: ModelReference
    exporter: Exporter
    datatype: str
    layout: Layout
    overwrite: bool = False
    update: bool = False
    target: FittedEncoding | None = None
    references: Mapping[str, Identity] = field(default_factory=dict)

    @cached_property
    def translator(self) -> Translator:
        """The model, which makes outputs of the right contrast; it is loaded at the first use.

        Raises:
            OasisGanError: If it cannot be loaded.
            OSError: If the file system fails.
        """
        translator = self.model.load()
        if self.target is None:
            return translator
        return apply_contrast(translator, self.target)

    def locate(self, name: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return the files of an output, given its name and the entities of its subject."""
        kind = self.translator.card.output
        return self.layout.locate(name, kind, self.exporter.suffix, entities)
