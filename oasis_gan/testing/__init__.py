"""Contracts that every plugin keeps, for pytest: subclass one, give its fixtures, and run.

Needs the extra ``testing``. A whole test file for the reader in ``my_reader.py``::

    import my_reader
    import numpy as np
    import pytest
    from oasis_gan import Selection
    from oasis_gan.testing import DatasetContract

    class TestMyReader(DatasetContract):
        @pytest.fixture
        def dataset(self):
            return next(my_reader.oasis_gan_datasets())

        @pytest.fixture
        def selection(self, tmp_path):
            np.save(tmp_path / "brain.npy", np.ones((4, 5, 6)))
            return Selection(tmp_path / "brain.npy")

What is checked is what the descriptions in `oasis_gan.plugin.hookspecs` promise to the tool. Each failure says what to
fix.
"""

from .datasets import DatasetContract
from .exporters import ExporterContract
from .label_sets import LabelSetContract
from .models import ModelContract

__all__ = ["DatasetContract", "ExporterContract", "LabelSetContract", "ModelContract"]
