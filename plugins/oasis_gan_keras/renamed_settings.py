"""The names that the settings of every training had in earlier versions."""

from __future__ import annotations

from collections.abc import Mapping

RENAMED_SETTINGS: Mapping[str, str] = {
    "averaging": "ema_decay",
    "constant": "decay_start",
    "keep": "keep_checkpoints",
}
"""The present name of each renamed setting, by its earlier name, which recipes may still use."""
