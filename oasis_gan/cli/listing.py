"""``oasis-gan plugins`` and ``oasis-gan models``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import one_line, printable
from ..plugin.foreign import foreign_code
from ..plugin.models import ModelCard
from ..plugin.registry import Registry
from .choosing import load_registry

Row = tuple[str, ...]


def plugin_table(files: Iterable[Path]) -> Iterator[str]:
    """Yield a line for each thing a plugin offers, and one for each that is broken."""
    registry = Registry.discover(files)
    rows: list[Row] = [("OFFERS", "NAME", "PLUGIN", "WHAT IT IS")]
    for catalogue in (registry.datasets, registry.models, registry.exporters):
        for name, offer in catalogue.offers.items():
            rows.append((catalogue.kind, name, str(catalogue.sources[name]), offer.summary))
    yield from _aligned(rows)
    for problem in registry.problems:
        yield f"broken: {problem}"


def model_table(files: Iterable[Path]) -> Iterator[str]:
    """Yield a line for each trained model; the first is the default of ``oasis-gan run``."""
    registry = load_registry(files)
    rows: list[Row] = [("MODEL", "VERSION", "KIND", "FROM", "TO", "PLANES", "FOLDER")]
    remarks = []
    for model in registry.trained.offers.values():
        try:
            with foreign_code(model.folder):
                card = model.kind.card(model.folder)
                described = _described(model.kind.name, card)
            rows.append((model.name, *described, str(model.folder)))
            if card.note:
                remarks.append(printable(f"note: model {model.name}: {card.note}"))
        # The kind may be anybody's.
        except Exception as error:  # noqa: BLE001
            remarks.append(printable(f"broken: model {model.name}: {one_line(error)}"))
    yield from _aligned(rows)
    yield from remarks


def _described(kind: str, card: ModelCard) -> Row:
    source = getattr(card.source, "name", card.source.kind)
    return card.version, kind, source, card.output, ",".join(card.planes)


def _aligned(rows: list[Row]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield printable("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
