"""The public names of the library, as sections that autodoc fills from the docstrings."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import ffn

__all__ = ["PUBLIC_MODULES", "public_names", "public_names_page"]

PUBLIC_MODULES = {
    "ffn": "What scripts and notebooks use.",
    "ffn.errors": "The refusals, all of them an `ffn.FFNError`.",
    "ffn.nn": "The network alone: arrays in, arrays out, NumPy and nothing else.",
}
# What is neither class nor function has no docstring.
DATA = {
    "ffn.nn.OPTIMIZERS": "The optimizers' classes by name, the simplest first.",
    "ffn.nn.Hyperparameter": "A number, or a tuple of numbers: one for each network of a stack.",
}


def public_names() -> dict[str, list[str]]:
    """Return the names that each public module exports, without what another one has exported."""
    seen: set[int] = set()
    found: dict[str, list[str]] = {}
    for module in PUBLIC_MODULES:
        exported = [n for n in import_module(module).__all__ if not n.startswith("__")]
        own = [n for n in exported if id(getattr(import_module(module), n)) not in seen]
        seen |= {id(getattr(import_module(module), name)) for name in own}
        found[module] = own
    return found


def _directive(module: str, name: str) -> str:
    value = getattr(import_module(module), name)
    if inspect.isclass(value):
        if issubclass(value, BaseException):
            return f".. autoclass:: {module}.{name}"
        # scikit-learn adds these; their text refers to pages of its own.
        foreign = [n for n in dir(value) if re.fullmatch(r"set_\w+_request", n)]
        without = f"\n   :exclude-members: {', '.join(foreign)}" if foreign else ""
        return f".. autoclass:: {module}.{name}\n   :members:{without}"
    if inspect.isfunction(value):
        return f".. autofunction:: {module}.{name}"
    return f".. py:data:: {module}.{name}\n\n   {DATA.get(f'{module}.{name}', '')}"


def public_names_page() -> str:
    """Return a section for each public module, with a directive for each of its names."""
    parts = [f"This is version {ffn.__version__}."]
    for module, names in public_names().items():
        parts += [f"## {module}", PUBLIC_MODULES[module]]
        for name in names:
            parts += [f"### {name}", f"```{{eval-rst}}\n{_directive(module, name)}\n```"]
    return "\n\n".join(parts)
