"""Refer to a trained model by values, so that any process can load it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .errors import ModelChangedError
from .foreign import using_model
from .models import ModelCard, ModelKind, Translator, computation_of
from .options import Value
from .plugin_files import PluginFile
from .portable import Portable
from .registry import Registry


@dataclass(frozen=True, kw_only=True)
class ModelReference(Portable):
    """A trained model that has not been loaded yet.

    It can always be pickled: another process finds the kind of the model by its name, among its
    installed plugins and in the plugin files.

    Args:
        kind: The name of the kind of the model.
        folder: The folder of the model.
        card_sha256: The SHA-256 of the model's card; see `hash_card`.
        options: The values of all options of the model, by name.
        plugin_files: The plugin files that are in use.
    """

    kind: str
    folder: Path
    card_sha256: str
    options: Mapping[str, Value] = field(default_factory=dict)
    plugin_files: tuple[PluginFile, ...] = ()

    @classmethod
    def of(
        cls,
        kind: ModelKind,
        folder: Path,
        card: ModelCard,
        options: Mapping[str, Value],
        plugin_files: Iterable[PluginFile] = (),
    ) -> ModelReference:
        """Make the reference to a model whose card has been read.

        Raises:
            OasisGanError: If the card cannot be written as JSON.
        """
        with using_model(folder, kind.name):
            card_sha256 = hash_card(card)
        return cls(
            kind=kind.name,
            folder=folder,
            card_sha256=card_sha256,
            options=options,
            plugin_files=tuple(plugin_files),
        )

    def load(self) -> Translator:
        """Return the model, ready to translate; it is loaded at the first call only.

        Raises:
            OasisGanError: If the model cannot be used, or if the model or a plugin file has
                changed.
            OSError: If a file cannot be read.
        """
        return self._translator

    @cached_property
    def _translator(self) -> Translator:
        kind = self._find_kind()
        with using_model(self.folder, kind.name):
            self._require_same_card(kind.card(self.folder))
            translator = kind.load(self.folder, **self.options)
            # Both may be properties, which can raise.
            _ = translator.card
            computation_of(translator)
        return translator

    def _find_kind(self) -> ModelKind:
        for file in self.plugin_files:
            # This refuses a file that has changed.
            file.load()
        registry = Registry.discover(file.path for file in self.plugin_files)
        return registry[ModelKind].get(self.kind)

    def _require_same_card(self, card: ModelCard) -> None:
        """Raise `ModelChangedError` if the card of the model has changed."""
        found = hash_card(card)
        if found != self.card_sha256:
            raise ModelChangedError(self.folder, self.card_sha256, found)


def hash_card(card: ModelCard) -> str:
    """Return the SHA-256 of a card: its name, version, weights, encodings, output and details."""
    content = {
        "name": card.name,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "sources": [(name, encoding.identity()) for name, encoding in card.sources.items()],
        "target": card.target.identity(),
        "output": card.output,
        "details": dict(card.details),
    }
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
