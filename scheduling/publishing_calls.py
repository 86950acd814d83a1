"""Calls that put a message on the broker, read from a module's text."""

import ast
from collections.abc import Iterator

PUBLISHES = {"delay", "apply_async", "send_task", "delay_on_commit", "apply_async_on_commit"}
"""The methods that do. A call of a signature itself is not recognised."""

CALLS_LATER = {"partial", "on_commit"}
"""What calls a method that it is given."""


def find_publishing_calls(source: str, *, name: str) -> Iterator[tuple[str, str]]:
    """Yield where a module publishes, and the call.

    Args:
        source: the module's text.
        name: what to call it.
    """
    if not any(f".{method}" in source for method in PUBLISHES):
        return
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if method := _publishing(node):
            yield f"{name}:{method.lineno} ({_scope_of(method, tree)})", ast.unparse(method)


def _publishing(node: ast.AST) -> ast.Attribute | None:
    """Return the method that a call publishes by, if it does."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name) as method) if name in PUBLISHES:
            return method
        case ast.Call(
            func=ast.Name(id=caller) | ast.Attribute(attr=caller),
            args=[ast.Attribute(attr=name) as method, *_],
        ) if caller in CALLS_LATER and name in PUBLISHES:
            return method
    return None


def _scope_of(call: ast.Attribute, tree: ast.Module) -> str:
    """Return the innermost function or class around a call."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.lineno <= call.lineno <= (node.end_lineno or 0)
    ]
    return around[-1].name if around else "module"
