"""Each hook's example is a complete plugin that keeps its contract; hooks and docs agree."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

import numpy as np
import pytest

import oasis_gan
from oasis_gan import Dataset, Exporter, LabelSet, ModelKind, Selection
from oasis_gan.plugin import hookspecs
from oasis_gan.plugin.registry import Registry
from oasis_gan.testing import DatasetContract, ExporterContract, LabelSetContract, ModelContract

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("oasis_gan_"))


def example(hook: str) -> str:
    """Return the code in a hook's docstring."""
    _, found, code = inspect.cleandoc(getattr(hookspecs, hook).__doc__).partition("::\n")
    assert found, f"{hook} has no example"
    return textwrap.dedent(code)


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Return a registry that has loaded every example from a file."""
    folder = tmp_path_factory.mktemp("plugins")
    for hook in HOOKS:
        (folder / f"{hook}.py").write_text(example(hook))
    return Registry.discover([folder / f"{hook}.py" for hook in HOOKS])


class TestDatasetExample(DatasetContract):
    """The reader in the docstring, given a file."""

    @pytest.fixture
    def dataset(self, registry: Registry) -> Dataset:
        return registry[Dataset].get("numpy")

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        np.save(tmp_path / "brain.npy", np.ones((4, 5, 6)))
        return Selection(tmp_path / "brain.npy")

    def test_it_searches_folders(self, dataset: Dataset, tmp_path: Path) -> None:
        (tmp_path / "site").mkdir()
        for name in ("a.npy", "site/a.npy"):
            np.save(tmp_path / name, np.ones((4, 5, 6)))
        names = [subject.name for subject in dataset.open(Selection(tmp_path))]
        assert names == [f"{tmp_path.name}/a", f"{tmp_path.name}/site/a"]


class TestModelExample(ModelContract):
    """The model in the docstring."""

    @pytest.fixture
    def kind(self, registry: Registry) -> ModelKind:
        return registry[ModelKind].get("paint")

    @pytest.fixture
    def folder(self, kind: ModelKind) -> Path:
        return kind.shipped["paint"]


class TestExporterExample(ExporterContract):
    """The exporter in the docstring."""

    @pytest.fixture
    def exporter(self, registry: Registry) -> Exporter:
        return registry[Exporter].get("numpy")

    def test_numpy_reads_it_back(self, exporter: Exporter, tmp_path: Path) -> None:
        volume = oasis_gan.Volume(
            np.arange(24.0).reshape(2, 3, 4), oasis_gan.Geometry((2, 3, 4), np.eye(4))
        )
        exporter.write(volume, tmp_path / "a.npy")
        np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), volume.voxels)


class TestLabelSetExample(LabelSetContract):
    """The label set in the docstring."""

    @pytest.fixture
    def label_set(self, registry: Registry) -> LabelSet:
        return registry[LabelSet].get("tumour")


@pytest.mark.parametrize("hook", HOOKS)
def test_an_example_implements_its_hook_with_its_arguments(hook: str) -> None:
    functions = {
        node.name: node
        for node in ast.parse(example(hook)).body
        if isinstance(node, ast.FunctionDef)
    }
    arguments = [argument.arg for argument in functions[hook].args.args]
    assert arguments == list(inspect.signature(getattr(hookspecs, hook)).parameters)
    assert [ast.unparse(decorator) for decorator in functions[hook].decorator_list] == ["hookimpl"]


@pytest.mark.parametrize("hook", HOOKS)
def test_an_example_needs_only_public_names(hook: str) -> None:
    for node in ast.walk(ast.parse(example(hook))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("oasis_gan"):
            assert node.module == "oasis_gan"
            assert {alias.name for alias in node.names} <= set(oasis_gan.__all__)


def test_all_public_names_are_there() -> None:
    assert [name for name in oasis_gan.__all__ if not hasattr(oasis_gan, name)] == []
