"""Contract tests for plugins: subclass a contract, provide its fixtures, and run pytest.

They need the extra ``testing``. This is a whole test file for the reader in ``my_reader.py``::

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

The contracts check what the descriptions in `oasis_gan.plugin.hookspecs` promise. Each failure says
what to fix.
"""

from .datasets import DatasetContract
from .exporters import ExporterContract
from .label_sets import LabelSetContract
from .models import ModelContract

__all__ = ["DatasetContract", "ExporterContract", "LabelSetContract", "ModelContract"]
