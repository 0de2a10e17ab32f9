"""Load plugin files that a user names; their hash ensures that every process loads the same."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from .errors import PluginFileChangedError, PluginFilePathError

_PREFIX = "oasis_gan_plugin_"


@dataclass(frozen=True)
class PluginFile:
    """A Python file that holds a plugin.

    Args:
        path: The absolute path of the file.
        sha256: The SHA-256 of its bytes.
    """

    path: Path
    sha256: str

    @classmethod
    def identify(cls, path: Path) -> PluginFile:
        """Hash the plugin file at a path.

        Raises:
            OasisGanError: If there is no such file, or its name does not end in ``.py``.
            OSError: If the file cannot be read.
        """
        if not path.is_file():
            raise PluginFilePathError(path, "no such file", "check the path")
        if path.suffix != ".py":
            raise PluginFilePathError(path, path.suffix, "name it .py")
        digest = hashlib.sha256(path.read_bytes())
        return cls(path.absolute(), digest.hexdigest())

    @property
    def module_name(self) -> str:
        """The name of the imported module, which depends only on the content of the file."""
        return f"{_PREFIX}{self.sha256}"

    def load(self) -> ModuleType:
        """Import the file; it is executed once in a process.

        Raises:
            OasisGanError: If the file has been changed since it was identified.
            Exception: Whatever the file raises.
        """
        loaded = sys.modules.get(self.module_name)
        if loaded is not None and loaded.__file__ == str(self.path):
            return loaded
        loader = _Loader(self)
        spec = importlib.util.spec_from_file_location(
            self.module_name,
            self.path,
            loader=loader,
        )
        if spec is None:
            raise ImportError(f"{self.path} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        # A dataclass with postponed annotations looks up its module there.
        sys.modules[self.module_name] = module
        try:
            loader.exec_module(module)
        except BaseException:
            # The next attempt must not find half a module.
            del sys.modules[self.module_name]
            raise
        return module


def find_plugin_file(module_name: str) -> PluginFile | None:
    """Return the plugin file that a module was loaded from, or None if there is none."""
    module = sys.modules.get(module_name) if module_name.startswith(_PREFIX) else None
    if module is None or module.__file__ is None:
        return None
    return PluginFile(Path(module.__file__), module_name.removeprefix(_PREFIX))


class _Loader(SourceFileLoader):
    """Executes exactly the bytes that were hashed, and writes no bytecode.

    Args:
        file: The plugin file.
    """

    def __init__(self, file: PluginFile) -> None:
        super().__init__(file.module_name, str(file.path))
        self._file = file

    def get_code(self, fullname: str) -> CodeType:
        """Compile the file, after checking that it is unchanged."""
        path = self._file.path
        if not path.is_file():
            raise PluginFileChangedError(path, self._file.sha256, None)
        data = path.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != self._file.sha256:
            raise PluginFileChangedError(path, self._file.sha256, found)
        return self.source_to_code(data, str(path))
