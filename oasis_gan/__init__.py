"""Translate whole brain volumes between label maps and MRI, or between contrasts.

The names in ``__init__.pyi`` are what plugins build on; `oasis_gan.plugin.hookspecs` tells how to
write one. Each is imported when it is first asked for (SPEC 1): ``oasis-gan --help`` needs neither
NumPy nor nibabel.
"""

import lazy_loader

__api_version__ = 1
"""The version of what plugins build on: hooks, descriptions and public names.

It rises when a plugin that was written for the last one may have to change. Additions alone do not
raise it.
"""
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
