"""Values that are taken to another process by pickle, with what plugin files define in them."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from types import FunctionType
from typing import Self

from ..errors import OasisGanError, one_line, safe_text
from .plugin_files import PluginFile, find_plugin_file

Reduction = tuple[Callable[..., object], tuple[object, ...]]
"""A function and its arguments, which another process calls to make a value."""


class Portable:
    """A dataclass that another process can unpickle, though it has not loaded the plugin files that are in use here.

    A function or class of a plugin file goes as the path and hash of the file and its own name; what is computed from
    the fields, and kept beside them, does not go.
    """

    def __reduce__(self) -> Reduction:
        """Return what another process makes the value of.

        Raises:
            OasisGanError: If there is something in it that cannot be taken to another process.
        """
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return unpack, (self._pack(values),)

    def __copy__(self) -> Self:
        """Return the value itself, which nobody can change."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the value itself, which nobody can change."""
        return self

    def _pack(self, values: dict[str, object]) -> bytes:
        file = io.BytesIO()
        try:
            _Pickler(file, pickle.HIGHEST_PROTOCOL).dump((type(self), values))
        except OasisGanError:
            raise
        # Objects of a plugin raise whatever they like when they are pickled.
        except Exception as error:
            found = safe_text(error) if isinstance(error, pickle.PicklingError) else one_line(error)
            raise self._not_portable(found) from error
        return file.getvalue()

    def _not_portable(self, found: str) -> OasisGanError:
        """Return what to raise where a field cannot be pickled."""
        expected = (
            "functions that another process can import: of a module, or functools.partial of one"
        )
        where = type(self).__name__
        return OasisGanError(where, expected=expected, found=found, remedy="fix the plugin")


def unpack(data: bytes) -> object:
    """Return the value that `Portable` has packed.

    Raises:
        OasisGanError: If a plugin that it needs is not installed here, or a plugin file has been changed.
    """
    try:
        kind, values = pickle.loads(data)  # noqa: S301 - as safe as the pickle that this is a part of
    except (ImportError, AttributeError) as error:
        remedy = "install the same plugins in both places"
        expected = "the plugins of the process that sent the job"
        raise OasisGanError(
            "plugin", expected=expected, found=one_line(error), remedy=remedy
        ) from error
    return kind(**values)


class _Pickler(pickle.Pickler):
    """Replaces what a plugin file defines by its name and the name and hash of the file."""

    def reducer_override(self, thing: object) -> Reduction:
        """Return how to find a function or class of a plugin file again; leave everything else to pickle."""
        left_to_pickle: Reduction = NotImplemented
        if not isinstance(thing, (type, FunctionType)):
            return left_to_pickle
        name = thing.__qualname__
        # Such as <lambda>, or read.<locals>.inner.
        if "<" in name:
            raise pickle.PicklingError(f"{name}, which is no name in its module")
        file = find_plugin_file(thing.__module__ or "")
        if file is None:
            return left_to_pickle
        if _find(file, name) is not thing:
            raise pickle.PicklingError(f"another {name} of that name in {file.path.name}")
        return _find, (file, name)


def _find(file: PluginFile, name: str) -> object:
    """Return what a plugin file calls by this name."""
    found: object = attrgetter(name)(file.load())
    return found
