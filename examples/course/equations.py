r"""Equations out of code: a line of Python, printed as LaTeX.

Nobody types an equation of the course. ``delta = (delta @ w.T) * (a > 0)`` is printed as
``\delta \leftarrow \left(\delta w^{\top}\right) \odot [a > 0]``; where the code is changed, the
page no longer agrees with it.

No escaped punctuation such as ``\,`` is printed: Markdown would take the backslash for its own.
"""

from __future__ import annotations

import ast
import re

__all__ = ["NoEquationError", "equation"]

# What a name of the code is called in an equation. Any other name of one letter stays as it is.
_SYMBOLS = {
    "activations": "a",
    "b_hidden": "b",
    "beta1": r"\beta_1",
    "beta2": r"\beta_2",
    "decay": r"\lambda",
    "delta": r"\delta",
    "epsilon": r"\varepsilon",
    "labels": "y",
    "lr": r"\eta",
    "m_hat": r"\hat m",
    "n_in": r"n_\mathrm{in}",
    "parameters": "p",
    "scores": "s",
    "targets": "t",
    "v_hat": r"\hat v",
    "w_hidden": "w",
    "weights": "w",
}
_BY_W_AND_B = (r"\frac{\partial L}{\partial w}", r"\frac{\partial L}{\partial b}")
_NO_ARGUMENTS = {"memory"}
_SUM, _PRODUCT, _ATOM = range(3)


class NoEquationError(ValueError):
    """A line of code that has no form as an equation."""


def equation(line: str) -> str:
    """Return the LaTeX of a line of code.

    Parameters
    ----------
    line
        An assignment, a ``return`` or a ``list.append``, without its comment.

    Raises
    ------
    NoEquationError
        The line is not Python, or holds what has no form as an equation.
    """
    try:
        (statement,) = ast.parse(line.strip()).body
    except (SyntaxError, ValueError) as error:
        raise NoEquationError(f"not one line of Python: {line.strip()!r}") from error
    match statement:
        case ast.Assign(targets=[ast.Name("gradients")], value=ast.List(elts=[by_w, by_b, _])):
            pairs = zip(_BY_W_AND_B, (by_w, by_b), strict=True)
            return r",\quad ".join(f"{left} = {_tex(right)}" for left, right in pairs)
        case ast.Assign(targets=[ast.Tuple(elts=lefts)], value=ast.Tuple(elts=rights)):
            both = zip(lefts, rights, strict=True)
            return r",\quad ".join(_assigned(left, right) for left, right in both)
        case ast.Assign(targets=[left], value=right) | ast.AnnAssign(target=left, value=right) if (
            right is not None
        ):
            return _assigned(left, right)
        case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(), attr="append"), args=[item])):
            return rf"a \leftarrow {_tex(item)}"
        case ast.Return(ast.List(elts=[ast.Starred(), scores])):
            return f"s = {_tex(scores)}"
        case ast.Return(ast.Call(func=ast.Attribute(attr="asarray"), args=[value])):
            return rf"\log \mathrm{{softmax}}(s) = {_tex(value)}"
        case ast.Return(ast.Call(func=ast.Name("float"), args=[value])):
            return f"L = {_tex(value)}"
        case ast.Return(value) if value is not None:
            return rf"p \leftarrow {_tex(value)}"
    raise NoEquationError(f"no equation: {line.strip()}")


def _assigned(left: ast.expr, right: ast.expr) -> str:
    """Return ``left = right``, with an arrow where the right side holds the old value."""
    symbol, value = _tex(left), _tex(right)
    old = any(
        (isinstance(node, ast.Name) and isinstance(left, ast.Name) and node.id == left.id)
        or (isinstance(node, ast.Attribute) and node.attr == "get")
        for node in ast.walk(right)
    )
    sign = r"\leftarrow" if old else "="
    return f"{symbol} {sign} {value}"


def _tex(node: ast.expr, binding: int = _SUM) -> str:
    """Return an expression; in parentheses if it binds less tightly than ``binding``."""
    match node:
        case ast.Name(id=name):
            return _symbol(name)
        case ast.Constant(value=float() | int() as value):
            mantissa, _, exponent = f"{value:g}".partition("e")
            power = f"10^{{{int(exponent)}}}" if exponent else mantissa
            return power if mantissa == "1" or not exponent else rf"{mantissa} \cdot {power}"
        case ast.BinOp() | ast.UnaryOp() | ast.Compare():
            return _operation(node, binding)
        case ast.Attribute(value=value, attr="T"):
            return rf"{_tex(value, _ATOM)}^{{\top}}"
        case ast.Subscript(value=ast.Name("activations")):
            return "a"
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[ast.Call(), picked])):
            return f"{_tex(value, _ATOM)}_{{{_tex(picked)}}}"
        case ast.Subscript(value=ast.Call(func=ast.Attribute(attr="eye")), slice=picked):
            return rf"\mathrm{{onehot}}({_tex(picked)})"
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Name() as picked):
            return f"{_symbol(name)}_{{{_tex(picked)}}}"
        case ast.Call():
            return _call(node)
    raise NoEquationError(f"no equation: {ast.unparse(node)}")


def _symbol(name: str) -> str:
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    if len(name) == 1:
        return name
    stem, _, index = name.partition("_")
    if index and len(stem) == 1:
        return rf"{stem}_\mathrm{{{index}}}"
    return rf"\mathrm{{{name}}}".replace("_", r"\ ")


def _operation(node: ast.BinOp | ast.UnaryOp | ast.Compare, binding: int) -> str:
    match node:
        case ast.BinOp(left=a, op=ast.Add() | ast.Sub() as sign, right=b):
            text = f"{_tex(a)} {'+' if isinstance(sign, ast.Add) else '-'} {_tex(b, _PRODUCT)}"
            return rf"\left({text}\right)" if binding > _SUM else text
        case ast.UnaryOp(op=ast.USub(), operand=a):
            text = f"-{_tex(a, _PRODUCT)}"
            return rf"\left({text}\right)" if binding > _SUM else text
        case ast.BinOp(left=a, op=ast.Div(), right=b):
            return rf"\frac{{{_tex(a)}}}{{{_tex(b)}}}"
        case ast.BinOp(left=a, op=ast.Pow(), right=b):
            return f"{_tex(a, _ATOM)}^{{{_tex(b)}}}"
        case ast.BinOp(left=a, op=ast.Mult(), right=ast.Compare() as b):
            return rf"\left({_tex(a)}\right) \odot {_tex(b)}"
        case ast.BinOp(left=a, op=ast.Mult() | ast.MatMult(), right=b):
            factors = _tex(a, _PRODUCT), _tex(b, _PRODUCT)
            # Words need a sign between them, letters do not.
            words = all(re.search(r"mathrm\{\w+\}$|^\\mathrm", factor) for factor in factors)
            text = (r" \cdot " if words else " ").join(factors)
            return rf"\left({text}\right)" if binding > _PRODUCT else text
        case ast.Compare(left=a, ops=[ast.Gt()], comparators=[b]):
            return f"[{_tex(a)} > {_tex(b)}]"
    raise NoEquationError(f"no equation: {ast.unparse(node)}")


def _call(node: ast.Call) -> str:
    match node:
        case ast.Call(func=ast.Name("len")):
            return "B"
        case ast.Call(func=ast.Name("float" | "abs" as name), args=[a]):
            return _tex(a) if name == "float" else rf"\lvert {_tex(a)} \rvert"
        case ast.Call(func=ast.Name("log_softmax"), args=[a]):
            return rf"\log \mathrm{{softmax}}({_tex(a)})"
        case ast.Call(
            func=ast.Attribute(attr="exp"), args=[ast.Call(func=ast.Name("log_softmax"), args=[a])]
        ):
            return rf"\mathrm{{softmax}}({_tex(a)})"
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), _]):
            return _symbol(key)
        case ast.Call(func=ast.Attribute(attr="standard_normal")):
            return r"\mathcal{N}(0, 1)"
        case ast.Call(func=ast.Attribute(attr="maximum"), args=[a, b]):
            return rf"\max({_tex(a)}, {_tex(b)})"
        case ast.Call(func=ast.Attribute(attr="sqrt"), args=[a]):
            return rf"\sqrt{{{_tex(a)}}}"
        case ast.Call(func=ast.Attribute(attr="exp"), args=[a]):
            return f"e^{{{_tex(a)}}}"
        case ast.Call(func=ast.Attribute(attr="log"), args=[a]):
            return rf"\log {_tex(a, _PRODUCT)}"
        case ast.Call(
            func=ast.Attribute(value=a, attr="sum" | "max" | "mean" as name), keywords=keywords
        ):
            axis = {"1": "c", "0": "i"}.get(_axis(keywords), "")
            if name == "mean":
                return rf"\mathrm{{mean}}\left({_tex(a)}\right)"
            operator = {"sum": r"\sum", "max": r"\max"}[name]
            under = f"_{axis}" if axis else ""
            return rf"{operator}{under} {_tex(a, _ATOM)}"
        case ast.Call(func=ast.Name(id=name), args=arguments):
            kept = [
                _tex(argument)
                for argument in arguments
                if not (isinstance(argument, ast.Name) and argument.id in _NO_ARGUMENTS)
            ]
            return rf"\mathrm{{{re.sub('_', ' ', name)}}}({', '.join(kept)})"
    raise NoEquationError(f"no equation: {ast.unparse(node)}")


def _axis(keywords: list[ast.keyword]) -> str:
    return next((ast.unparse(keyword.value) for keyword in keywords if keyword.arg == "axis"), "")
