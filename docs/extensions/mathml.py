"""Formulas as MathML, which browsers draw themselves: no script and no font is loaded."""

from __future__ import annotations

from typing import Any

from latex2mathml.converter import convert

__all__ = ["formula", "setup"]


def formula(latex: str, *, block: bool) -> str:
    """Return a formula as MathML.

    Parameters
    ----------
    latex
        The formula as LaTeX.
    block
        Whether it stands in a paragraph of its own.

    Raises
    ------
    ValueError
        A command of ``latex`` is unknown: it would be shown as it is written.
    """
    found: str = convert(latex, display="block" if block else "inline")
    if "\\" in found:
        raise ValueError(f"a command is unknown to latex2mathml: {latex}")
    return found


def _visit(translator: Any, node: Any, *, block: bool) -> None:
    from docutils import nodes

    translator.body.append(formula(node.astext(), block=block))
    raise nodes.SkipNode


def _visit_inline(translator: Any, node: Any) -> None:
    _visit(translator, node, block=False)


def _visit_block(translator: Any, node: Any) -> None:
    _visit(translator, node, block=True)


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer with Sphinx's ``app``."""
    app.add_html_math_renderer("latex2mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
