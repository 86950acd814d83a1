"""Calls that put a message on the broker, read from a module's text."""

import ast
from collections.abc import Iterator
from typing import TypeGuard

PUBLISHES = {"delay", "apply_async", "send_task"}
"""The methods that do. A call of a signature itself is not recognised."""


def find_publishing_calls(source: str, *, name: str) -> Iterator[tuple[str, str]]:
    """Yield where a module publishes, and the call.

    Args:
        source: the module's text.
        name: what to call it.
    """
    if not any(f"{method}(" in source for method in PUBLISHES):
        return
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if _publishes(node):
            yield f"{name}:{node.lineno} ({_scope_of(node, tree)})", ast.unparse(node.func)


def _publishes(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PUBLISHES


def _scope_of(call: ast.Call, tree: ast.Module) -> str:
    """Return the innermost function or class around a call."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.lineno <= call.lineno <= (node.end_lineno or 0)
    ]
    return around[-1].name if around else "module"
