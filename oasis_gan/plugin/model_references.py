"""A trained model as a value: what to load, and from where, in this process or in another one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..errors import OasisGanError
from .foreign import using_model
from .models import ModelCard, ModelKind, Translator, computation_of
from .options import Value
from .plugin_files import PluginFile
from .portable import Portable
from .registry import Registry

_SHOWN = 12  # digits of a hash in an error


@dataclass(frozen=True, kw_only=True)
class ModelReference(Portable):
    """A trained model that has not been loaded yet.

    It can be pickled whatever the model is made of: another process finds the kind of the model by its name, among
    the plugins that are installed there and those in the plugin files.

    Args:
        kind: The name of the kind of the model.
        folder: The folder of the model.
        card_sha256: The SHA-256 of what the folder says of the model; see `hash_card`.
        options: The model's options, all of them, with their values.
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
        """Return the reference to a model whose card has been read.

        Raises:
            OasisGanError: If the card holds what cannot be written down.
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
        """Return the model, ready to translate; it is loaded once, and kept.

        Raises:
            OasisGanError: If the model cannot be used, or if the model or a plugin file is no longer what it was.
            OSError: As the file system says.
        """
        return self._translator

    @cached_property
    def _translator(self) -> Translator:
        kind = self._find_kind()
        with using_model(self.folder, kind.name):
            self._require_same_card(kind.card(self.folder))
            translator = kind.load(self.folder, **self.options)
            # Both may be computed, by a plugin that makes mistakes.
            _ = translator.card
            computation_of(translator)
        return translator

    def _find_kind(self) -> ModelKind:
        for file in self.plugin_files:
            # Refuses a file that has been changed.
            file.load()
        registry = Registry.discover(file.path for file in self.plugin_files)
        return registry[ModelKind].get(self.kind)

    def _require_same_card(self, card: ModelCard) -> None:
        """Raise `OasisGanError` unless a card is the one that this reference was made of."""
        found = hash_card(card)
        if found == self.card_sha256:
            return
        raise OasisGanError(
            self.folder,
            expected=f"the model as it was, SHA-256 of its card {self.card_sha256[:_SHOWN]}...",
            found=f"{found[:_SHOWN]}...",
            remedy="put the model back as it was, or run the command again",
        )


def hash_card(card: ModelCard) -> str:
    """Return the SHA-256 of what a card says of a model: its name, version and weights, what goes in and comes out."""
    content = {
        "name": card.name,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "sources": [(name, encoding.identity()) for name, encoding in card.sources.items()],
        "target": card.target.identity(),
        "output": card.output,
        "details": dict(card.details),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
