"""Find what a plugin adds to a library and not to the tool, such as a loss for training.

The library gives such an extension a function ``check_contract``, which returns the number of
checks that passed and raises if one fails. The tool knows nothing else about it.
"""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[], int]


def find_extensions(module: object) -> dict[str, Check]:
    """Return the checks of the extensions that a module defines, by name."""
    found = {}
    module_name = getattr(module, "__name__", None)
    for name, thing in vars(module).items():
        check = getattr(thing, "check_contract", None)
        # A module may also import an extension of another plugin.
        is_defined_here = getattr(thing, "__module__", None) == module_name
        if callable(check) and is_defined_here:
            found[name] = check
    return found
