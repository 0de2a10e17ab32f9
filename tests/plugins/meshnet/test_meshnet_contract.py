"""The shipped segmenter keeps the contract of every model."""

from __future__ import annotations

from pathlib import Path

import oasis_gan_meshnet
import pytest
from kit.meshnet import SHIPPED

from oasis_gan import LabelSet, ModelKind, Translator
from oasis_gan.testing import LabelSetContract, ModelContract


@pytest.fixture(scope="module")
def loaded() -> Translator:
    return oasis_gan_meshnet.load(SHIPPED)


class TestShippedSegmenter(ModelContract):
    """T1w in, structures out; loaded once."""

    @pytest.fixture
    def kind(self) -> ModelKind:
        return next(oasis_gan_meshnet.oasis_gan_models())

    @pytest.fixture
    def folder(self) -> Path:
        return SHIPPED

    @pytest.fixture
    def translator(self, loaded: Translator) -> Translator:
        return loaded


class TestItsLabelSet(LabelSetContract):
    """What the values of its outputs mean."""

    @pytest.fixture
    def label_set(self) -> LabelSet:
        return next(oasis_gan_meshnet.oasis_gan_label_sets())
