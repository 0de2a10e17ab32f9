"""Find statements that are hard to read, in the text of a Python file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

MOST_NODES = 400
"""A function with more nodes of syntax does too much to be read in one piece."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_packed_assignments(source: str) -> Iterator[str]:
    """Yield each statement that assigns unrelated values at once, such as ``a, b = 1, 2``.

    A statement such as ``a, b = b, a`` is not one of them: nobody can write it in two lines.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
            continue
        for target in node.targets:
            if isinstance(target, ast.Tuple) and not _need_one_another(target, node.value):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def _need_one_another(target: ast.Tuple, value: ast.Tuple) -> bool:
    """Whether a value reads a name that an earlier line would have overwritten."""
    overwritten: set[str] = set()
    for name, part in zip(target.elts, value.elts, strict=False):
        reads = {ast.unparse(node) for node in ast.walk(part) if isinstance(node, ast.expr)}
        if overwritten & reads:
            return True
        overwritten.add(ast.unparse(name))
    return False


def find_large_functions(source: str) -> Iterator[str]:
    """Yield the functions with more than `MOST_NODES` nodes of syntax, docstrings apart."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            nodes = count_nodes(node)
            if nodes > MOST_NODES:
                yield f"line {node.lineno}: {node.name} has {nodes} nodes"


def count_nodes(function: Function) -> int:
    """Return the number of nodes of syntax in the body of a function, its docstring apart."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    statements = function.body[1:] if has_docstring else function.body
    return sum(1 for statement in statements for _ in ast.walk(statement))


def find_private_reads(source: str) -> Iterator[str]:
    """Yield the private attributes that are read from anything but ``self`` or ``cls``."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute) or not _is_private(node.attr):
            continue
        owner = node.value
        if not isinstance(owner, ast.Name) or owner.id not in {"self", "cls"}:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def find_private_imports(source: str) -> Iterator[str]:
    """Yield the statements that import a private name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and any(_is_private(name.name) for name in node.names):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def find_runners(source: str) -> Iterator[str]:
    """Yield the lists that spell out how the tool is started: ``[..., "-m", "oasis_gan", ...]``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.List):
            words = [word.value for word in node.elts if isinstance(word, ast.Constant)]
            if words[:2] == ["-m", "oasis_gan"]:
                yield f"line {node.lineno}: {ast.unparse(node)}"


def python_files(*folders: Path) -> list[Path]:
    """Return the Python files below these folders."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))
