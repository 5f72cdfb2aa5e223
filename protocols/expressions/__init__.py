"""Decisions of a protocol as checked trees: a small grammar of our own, and nothing else can be said in it (SEC-14).

`scope` knows the names, `reading` makes a tree of a text, `evaluating` gives its value.
"""

from protocols.expressions.evaluating import truth
from protocols.expressions.reading import condition
from protocols.expressions.scope import Kind, Scope
from protocols.expressions.tree import Expression, measured, written

__all__ = ["Expression", "Kind", "Scope", "condition", "measured", "truth", "written"]
