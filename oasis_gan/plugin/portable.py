"""Pickle values that contain functions and classes of plugin files."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from types import FunctionType
from typing import Self

from ..errors import OasisGanError, one_line, safe_text
from .errors import MissingPluginError, NotPicklableError
from .plugin_files import PluginFile, find_plugin_file

Reduction = tuple[Callable[..., object], tuple[object, ...]]
"""A function and the arguments with which another process calls it to make a value."""


class Portable:
    """A dataclass that can be unpickled in a process that has not loaded the same plugin files.

    A function or class of a plugin file is pickled as its name and the path and hash of the file.
    Only the fields are pickled, not the values that are computed from them.
    """

    def __reduce__(self) -> Reduction:
        """Return the function and arguments that make the value in another process.

        Raises:
            OasisGanError: If a field cannot be pickled.
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
        # Objects of a plugin may raise anything when they are pickled.
        except Exception as error:
            # Others need their class in front to be understood.
            is_sentence = isinstance(error, pickle.PicklingError)
            found = safe_text(error) if is_sentence else one_line(error)
            raise self._make_portability_error(found) from error
        return file.getvalue()

    def _make_portability_error(self, found: str) -> OasisGanError:
        """Return the error to raise if a field cannot be pickled."""
        return NotPicklableError(type(self), found)


def unpack(data: bytes) -> object:
    """Unpickle a value that `Portable` has packed.

    Raises:
        OasisGanError: If a plugin that it needs is not installed here, or a plugin file has been
            changed.
    """
    try:
        kind, values = pickle.loads(data)  # noqa: S301 - as safe as the pickle that this is a part of
    except (ImportError, AttributeError) as error:
        raise MissingPluginError(error) from error
    return kind(**values)


class _Pickler(pickle.Pickler):
    """Pickles a function or class of a plugin file by its name and by the file."""

    def reducer_override(self, thing: object) -> Reduction:
        """Reduce a function or class of a plugin file; leave everything else to pickle."""
        left_to_pickle: Reduction = NotImplemented
        if not isinstance(thing, (type, FunctionType)):
            return left_to_pickle
        name = thing.__qualname__
        # Examples are <lambda> and read.<locals>.inner.
        if "<" in name:
            raise pickle.PicklingError(f"{name}, which is no name in its module")
        file = find_plugin_file(thing.__module__ or "")
        if file is None:
            return left_to_pickle
        if _find(file, name) is not thing:
            raise pickle.PicklingError(f"another {name} of that name in {file.path.name}")
        return _find, (file, name)


def _find(file: PluginFile, name: str) -> object:
    """Return the object of this name in a plugin file."""
    found: object = attrgetter(name)(file.load())
    return found
