"""Environments that make a process compute as on another processor."""

from __future__ import annotations

import os

DECIDING = {"OASIS_GAN_TEST_PRECISION", "ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"}
UNDECIDED = {name: value for name, value in os.environ.items() if name not in DECIDING}
"""The environment less what decides on precision and instructions: each test says that itself."""
EMULATED = {"TF_ENABLE_ONEDNN_OPTS": "0"}
"""Here bfloat16 works on every processor, and float32 comes from Eigen instead of oneDNN."""
WITHOUT_BFLOAT16 = {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Here it works on none, whatever the processor lists."""
