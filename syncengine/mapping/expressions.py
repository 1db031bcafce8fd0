"""JMESPath expressions: parsed, bounded, and every function call checked before the rule is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError, ParseError

from syncengine.mapping.functions import OWN_ARITY, MappingFunctions
from syncengine.mapping.text import to_decimal

MAX_LENGTH = 2_000
MAX_DEPTH = 60

EMPTY: Mapping[str, Any] = {"type": "literal", "value": None, "children": []}

Found = tuple[str, int | None, str]


def compile_expression(source: str) -> tuple[Mapping[str, Any], list[Found]]:
    """The expression's tree with exact numbers, and what is wrong with it as (field, position, message)."""
    if len(source) > MAX_LENGTH:
        return EMPTY, [("source", MAX_LENGTH, f"the expression is longer than {MAX_LENGTH} characters")]
    try:
        ast = _exact(jmespath.compile(source).parsed)
        problems = list(_call_problems(ast, source))
        if _depth(ast) > MAX_DEPTH:
            problems.append(("source", None, f"the expression is nested deeper than {MAX_DEPTH} levels"))
    except RecursionError:
        return EMPTY, [("source", None, "the expression is nested too deeply")]
    except ParseError as error:
        return EMPTY, [("source", _position(error, source), f"not a JMESPath expression: {_reason(error)}")]
    except (JMESPathError, ValueError) as error:
        return EMPTY, [("source", 0, str(error).splitlines()[0] if str(error) else "not a JMESPath expression")]
    return ast, problems


def _position(error: ParseError, source: str) -> int:
    return min(error.lex_position, len(source)) if isinstance(error.lex_position, int) else 0


def _reason(error: ParseError) -> str:
    message = getattr(error, "message", None) or error.msg
    token = f" at {error.token_value!r}" if error.token_value and isinstance(error.token_value, str) else ""
    return f"{str(message).splitlines()[0]}{token}"


def _exact(node: Any) -> Any:
    """The tree with every number in a literal as Decimal: 0.1 in a rule must equal the 0.1 of the record."""
    if isinstance(node, dict):
        return {key: _exact(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_exact(value) for value in node]
    return to_decimal(node) if isinstance(node, float) else node


def _depth(node: Any) -> int:
    children = node.get("children", []) if isinstance(node, dict) else []
    return 1 + max((_depth(child) for child in children), default=0)


def _call_problems(node: Any, source: str) -> Iterator[Found]:
    if not isinstance(node, dict):
        return
    children = node.get("children", [])
    if node.get("type") == "function_expression":
        message = _call_problem(node["value"], len(children))
        if message:
            found = re.search(rf"\b{re.escape(node['value'])}\s*\(", source)
            yield "source", found.start() if found else None, message
    for child in children:
        yield from _call_problems(child, source)


def _call_problem(name: str, given: int) -> str:
    spec = MappingFunctions.FUNCTION_TABLE.get(name)
    if spec is None:
        return f"unknown function {name}()"
    least, most = OWN_ARITY.get(name) or _builtin_arity(spec["signature"])
    if given < least or (most is not None and given > most):
        expected = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
        return f"{name}() takes {expected} arguments, not {given}"
    return ""


def _builtin_arity(signature: Any) -> tuple[int, int | None]:
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    return len(signature), None if variadic else len(signature)
