"""Choose the model that segments outputs for ``oasis-gan run --evaluate``."""

from __future__ import annotations

from pathlib import Path

from ..errors import OasisGanError
from ..evaluation.libraries import require_libraries
from ..evaluation.segmenting import ModelSegmenter, require_segmenter
from ..plugin.models import ModelCard
from ..plugin.registry import Registry
from .choosing import read_card
from .segmenting import MODEL_FLAG, load_segmenter

_FLAG = "--evaluate"


class NothingToCertifyError(OasisGanError):
    """A model makes no MRI of a label map, so that a segmentation has no counterpart."""

    def __init__(self, card: ModelCard) -> None:
        super().__init__(
            _FLAG,
            expected="a model that makes an MRI of a label map",
            found=f"{card.name}, which makes {card.target.content} of {card.source.content}",
            remedy="leave it out, or evaluate the outputs against real scans afterwards",
        )


class NoSegmenterInstalledError(OasisGanError):
    """No installed model can segment an MRI."""

    def __init__(self) -> None:
        super().__init__(
            _FLAG,
            expected="a model that segments an MRI",
            found="none installed",
            remedy=f"install a plugin that brings one, or name a model folder with {MODEL_FLAG}",
        )


def choose_segmenter(
    registry: Registry,
    card: ModelCard,
    segmenter: str | None,
    plugin_files: tuple[Path, ...],
) -> ModelSegmenter:
    """Load the model that segments the outputs of a run.

    Args:
        registry: The installed plugins.
        card: The card of the model whose outputs are evaluated.
        segmenter: The name or the folder of the model that segments; by default the first that can.
        plugin_files: The plugin files that are in use.

    Raises:
        OasisGanError: If outputs of that model cannot be evaluated, or a package or a model is
            missing.
        OSError: If the file system fails.
    """
    require_libraries()
    if (card.source.content, card.target.content) != ("labels", "image"):
        raise NothingToCertifyError(card)
    name = segmenter or _find_default(registry)
    return load_segmenter(registry, name, plugin_files)


def _find_default(registry: Registry) -> str:
    """Return the name of the first model that can segment an MRI."""
    for name, model in registry.trained.offers.items():
        try:
            require_segmenter(read_card(model.kind, model.folder))
        # A broken model must not hide a sound one that comes after it.
        except (OasisGanError, OSError):
            continue
        return name
    raise NoSegmenterInstalledError
