"""List what plugins offer, and trained models: ``oasis-gan plugins`` and ``oasis-gan models``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import one_line, printable
from ..image.encoding import Encoding
from ..plugin.discovery import find_disabled
from ..plugin.environment import DISABLE, read_disabled
from ..plugin.foreign import foreign_code
from ..plugin.models import ModelCard
from ..plugin.registry import Registry
from .choosing import choose_model, load_registry, read_card
from .flags import with_flags

Row = tuple[str, ...]


def describe_plugins(files: Iterable[Path]) -> Iterator[str]:
    """Yield a line for each thing a plugin offers, and for each that is broken or disabled."""
    # Without warnings: here the problems are rows of the result.
    registry = Registry.discover(files)
    rows: list[Row] = [("OFFERS", "NAME", "PLUGIN", "WHAT IT IS")]
    for kind, catalogue in registry.catalogues():
        for offer in catalogue:
            source = catalogue.origins[offer.name]
            rows.append((kind.called, offer.name, str(source), offer.summary))
    yield from _align_columns(rows)
    for problem in registry.problems:
        yield with_flags(f"broken: {problem}")
    for deprecation in registry.deprecations:
        yield f"deprecated: {deprecation}"
    yield from _describe_disabled()


def _describe_disabled() -> Iterator[str]:
    """Yield a line for each plugin that is switched off, and for each name that is nobody's."""
    disabled = find_disabled()
    for origin in disabled:
        yield printable(f"disabled: plugin {origin}, by {DISABLE}")
    for name in sorted(read_disabled() - {origin.plugin for origin in disabled}):
        yield printable(f"disabled: no plugin is called {name}; correct {DISABLE}")


def describe_models(files: Iterable[Path]) -> Iterator[str]:
    """Yield a line for each trained model; the first is the default of ``oasis-gan run``."""
    registry = load_registry(files)
    rows: list[Row] = [("MODEL", "VERSION", "KIND", "FROM", "TO", "OPTIONS", "FOLDER")]
    notes = []
    for model in registry.trained:
        try:
            with foreign_code(model.folder):
                card = model.kind.card(model.folder)
                row = _summarise(model.kind.name, card)
            rows.append((model.name, *row, str(model.folder)))
            if card.note:
                notes.append(printable(f"note: model {model.name}: {card.note}"))
        # The kind may come from any plugin.
        except Exception as error:  # noqa: BLE001
            notes.append(printable(with_flags(f"broken: model {model.name}: {one_line(error)}")))
    yield from _align_columns(rows)
    yield from notes


def describe_model(name: str, files: Iterable[Path]) -> Iterator[str]:
    """Yield lines about one trained model: what it takes and makes, and a table of its options."""
    kind, folder = choose_model(load_registry(files), name, "MODEL")
    card = read_card(kind, folder)
    rows: list[Row] = [("model", f"{card.name} {card.version}"), ("kind", kind.name)]
    for source, encoding in card.sources.items():
        rows.append(("source", _name_source(source, encoding)))
    rows.append(("output", f"{card.output} ({card.target.describe()})"))
    rows.append(("folder", str(folder)))
    yield from _align_columns(rows)
    if card.note:
        yield printable(f"note: {card.note}")
    yield ""
    if not card.options:
        yield "It has no options."
        return
    options: list[Row] = [("OPTION", "DEFAULT", "VALUES", "WHAT IT DOES")]
    options.extend(
        (option.name, str(option.default), option.expected, option.help) for option in card.options
    )
    yield from _align_columns(options)


def _summarise(kind: str, card: ModelCard) -> Row:
    sources = " + ".join(encoding.describe() for encoding in card.sources.values())
    options = ", ".join(option.name for option in card.options) or "-"
    return card.version, kind, sources, card.output, options


def _name_source(name: str, encoding: Encoding) -> str:
    """Return a source with what it holds, such as ``labels (oasis)``."""
    described = encoding.describe()
    return name if described == name else f"{name} ({described})"


def _align_columns(rows: list[Row]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield printable(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
