"""The texts of a source file that somebody may read at run time."""

from __future__ import annotations

import ast
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def texts_in(path: Path) -> list[str]:
    """Return the strings of a Python file, its docstrings apart."""
    tree = ast.parse(path.read_text())
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, _DOCUMENTED)
    }
    return [text for text in texts if text not in docstrings]
