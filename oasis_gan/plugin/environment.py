"""Read from the environment which plugin files are loaded too, and which plugins are switched off.

Both are for whoever cannot type ``--plugin`` or uninstall a package: a shared machine, a container,
a script of somebody else.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import OasisGanError

DISABLE = "OASIS_GAN_DISABLE_PLUGINS"
"""The environment variable with the names of plugins that are not loaded, between commas."""
PLUGIN_PATH = "OASIS_GAN_PLUGIN_PATH"
"""The environment variable with plugin files and folders of them, separated as in ``PATH``."""
_NO_PLUGINS = ("_", ".", "test_", "conftest")
"""How files beside a plugin begin that are not plugins."""


class PluginPathError(OasisGanError):
    """The environment names a plugin file or folder that does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            PLUGIN_PATH,
            expected="Python files, and folders of them",
            found=f"{path}, which does not exist",
            remedy="correct the variable",
        )


def read_disabled() -> frozenset[str]:
    """Return the names of the plugins that the environment switches off."""
    names = os.environ.get(DISABLE, "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def read_plugin_path() -> list[Path]:
    """Return the files and folders of plugins that the environment names."""
    entries = os.environ.get(PLUGIN_PATH, "").split(os.pathsep)
    # An empty entry must not mean the current folder, where anybody may have put a file.
    return [Path(entry) for entry in entries if entry]


def list_plugin_files(path: Path) -> list[Path]:
    """Return the plugin files in a folder, without folders below it, or a plugin file itself.

    Raises:
        PluginPathError: If there is nothing under this path.
        OSError: If the folder cannot be listed.
    """
    if not path.exists():
        raise PluginPathError(path)
    if not path.is_dir():
        return [path]
    files = (file for file in path.iterdir() if file.suffix == ".py")
    return sorted(file for file in files if not file.name.startswith(_NO_PLUGINS))
