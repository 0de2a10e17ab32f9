"""What a plugin adds to a library instead of offering it to the tool, such as a loss to train models with.

The library marks such a thing with a ``check_contract``: a function that returns how many checks were kept, and raises
what is not. The tool knows no more of it.
"""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[], int]


def find_extensions(module: object) -> dict[str, Check]:
    """Return the checks of the things in a module that belong to a library, by name; not of those it imports."""
    found = {}
    for name, thing in vars(module).items():
        check = getattr(thing, "check_contract", None)
        if callable(check) and getattr(thing, "__module__", None) == getattr(
            module, "__name__", None
        ):
            found[name] = check
    return found
