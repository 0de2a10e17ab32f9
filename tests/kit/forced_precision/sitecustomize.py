"""Force the precision of everything that asks for none, here and in the processes of tests.

Python imports a module of this name when it starts, once the folder is on ``PYTHONPATH``;
`conftest` puts it there if ``OASIS_GAN_TEST_PRECISION`` names a precision. What `--precision`, a
recipe or a test asks for stays as it is.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

VARIABLE = "OASIS_GAN_TEST_PRECISION"
_MODULE = "oasis_gan_keras.hardware"


class _Forcing(MetaPathFinder):
    """Changes what `oasis_gan_keras.hardware` takes by default, as soon as it is imported."""

    def __init__(self, precision: str) -> None:
        self._precision = precision

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find that module as it would be found otherwise, and add to what running it does."""
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_force(module: ModuleType) -> None:
            run(module)
            module.DEFAULT_PRECISION = self._precision  # type: ignore[attr-defined]
            module.find_fast_precision = lambda: self._precision  # type: ignore[attr-defined]

        spec.loader.exec_module = run_and_force  # type: ignore[method-assign]
        return spec


if os.environ.get(VARIABLE):
    sys.meta_path.insert(0, _Forcing(os.environ[VARIABLE]))
