"""Find plugins: entry points of distributions, and files of the environment or of a command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from ..errors import OasisGanError
from .environment import list_plugin_files, read_disabled, read_plugin_path
from .plugin_files import PluginFile

Load = Callable[[], object]
PROJECT = "oasis_gan"
"""The entry-point group of plugins, and pluggy's name for the project."""
OWN_DISTRIBUTION = "oasis-gan"


@dataclass(frozen=True)
class PluginOrigin:
    """The name of a plugin, and the distribution or file that holds it."""

    plugin: str
    provider: str

    def __str__(self) -> str:
        return f"{self.plugin} ({self.provider})"


def find_plugins(named: Iterable[Path] = ()) -> Iterator[tuple[PluginOrigin, Load]]:
    """Yield all plugins but those that the environment switches off and those in ``named`` files.

    Installed plugins come first, then those of the environment. No plugin is imported yet.
    """
    disabled = read_disabled()
    for origin, load in _find_all(named):
        if origin.plugin not in disabled:
            yield origin, load


def find_disabled() -> list[PluginOrigin]:
    """Return the plugins that the environment switches off."""
    disabled = read_disabled()
    return [origin for origin, _ in _find_all() if origin.plugin in disabled]


def _find_all(named: Iterable[Path] = ()) -> Iterator[tuple[PluginOrigin, Load]]:
    yield from find_installed()
    # Loaded twice, a file would take its own names away from itself.
    resolved = {file.resolve() for file in named}
    for entry in read_plugin_path():
        yield from _find_in(entry, resolved)


def _find_in(entry: Path, named: Iterable[Path]) -> Iterator[tuple[PluginOrigin, Load]]:
    """Yield the plugins of a file or folder; one that cannot be read is a broken plugin."""
    try:
        files = list_plugin_files(entry)
    except (OasisGanError, OSError) as error:
        yield PluginOrigin(entry.name, str(entry)), partial(_raise, error)
        return
    yield from (from_file(file) for file in files if file.resolve() not in named)


def _raise(error: Exception) -> object:
    raise error


def find_installed() -> Iterator[tuple[PluginOrigin, Load]]:
    """Yield the installed plugins, built-in ones first, so that no other plugin can replace them.

    No plugin is imported yet; a broken plugin raises its error when it is loaded.
    """
    found: dict[tuple[str, str], Load] = {}
    for distribution in distributions():
        for entry_point in _list_entry_points(distribution):
            key = (_read_name(distribution), entry_point.name)
            # The first of two copies on the path is the one that gets imported.
            found.setdefault(key, entry_point.load)
    own = sorted(key for key in found if key[0] == OWN_DISTRIBUTION)
    others = sorted(key for key in found if key[0] != OWN_DISTRIBUTION)
    for key in (*own, *others):
        provider, name = key
        yield PluginOrigin(name, provider), found[key]


def from_file(file: Path) -> tuple[PluginOrigin, Load]:
    """Return the plugin in a Python file."""
    return PluginOrigin(file.stem, str(file)), partial(_load_file, file)


def _list_entry_points(distribution: Distribution) -> list[EntryPoint]:
    """Return a distribution's plugins; a broken list counts as one plugin that cannot be loaded."""
    try:
        entry_points = distribution.entry_points
        return [entry_point for entry_point in entry_points if entry_point.group == PROJECT]
    # The file is foreign, and importlib.metadata may raise anything.
    except Exception:  # noqa: BLE001
        broken = EntryPoint("entry_points.txt", "a line that is not NAME = MODULE", PROJECT)
        return [broken] if _mentions_us(distribution) else []


def _mentions_us(distribution: Distribution) -> bool:
    try:
        return PROJECT in (distribution.read_text("entry_points.txt") or "")
    except (OSError, ValueError):
        return False


def _read_name(distribution: Distribution) -> str:
    """Return a distribution's name, which is missing after an interrupted uninstall."""
    try:
        name = distribution.metadata["Name"]
    # Python versions behave differently if there is no name, or no metadata at all.
    except Exception:  # noqa: BLE001
        name = None
    return name or "a distribution without a name"


def _load_file(path: Path) -> object:
    return PluginFile.identify(path).load()
