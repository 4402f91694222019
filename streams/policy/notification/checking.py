"""A company's own template, looked at when it arrives: what it may not do, it is refused for.

A template is text, placeholders, filters and conditions. It is judged by its syntax tree, against the list of what
is allowed, so that whatever else Jinja can do is not. A value is text: a placeholder, quoted text, a filter of a
value, a choice between some. A condition is a value, a comparison of two, and not, and, or.
"""

from collections.abc import Sequence
from itertools import islice
from typing import NoReturn

from jinja2 import TemplateError, nodes

from schemas import Refused
from schemas.configuration import Template
from schemas.reasons import RefusedReason
from streams.policy.notification.lines import one_line
from streams.policy.notification.sandbox import FILTERS, HTML, TEXT
from streams.policy.notification.vocabulary import EXTRA, PLACEHOLDERS, never_filled

MAX_DEPTH = 30
"""Conditions within conditions. It keeps all that recurs over a template far from the interpreter's limit."""
MAX_TOKENS = 8000
"""Of one field, as Jinja counts them: about a thousand placeholders. More take seconds, while others wait."""
_PROBES = ("", "Ärzte & Söhne <x> %s {y}")
_COMPARISONS = frozenset({"eq", "ne", "in", "notin"})


def check(template: Template) -> frozenset[str]:
    """The placeholders that it uses, without those of `extra`.

    Raises Refused with `unknown_placeholder` and, in the detail, the field and what is wrong there.
    """
    names: set[str] = set()
    for field in ("subject", "body_text", "body_html"):
        source: str | None = getattr(template, field)
        if source is not None:
            names |= _Check(field).source(source)
    for parameter in template.provider_template.parameters if template.provider_template else ():
        names |= _parameter(parameter)
    return frozenset(names)


def must_fill(names: frozenset[str], event_type: str, template_id: str) -> None:
    """Raises Refused if an event of this type could never fill one of the names."""
    name = never_filled(names, event_type)
    if name is not None:
        raise Refused(
            RefusedReason.UNKNOWN_PLACEHOLDER,
            f"template {template_id}: {event_type} can never fill {{{{ {name} }}}}",
        )


def _parameter(parameter: str) -> set[str]:
    name, dot, rest = parameter.partition(".")
    if dot and name == EXTRA and rest.isidentifier():
        return set()
    if parameter not in PLACEHOLDERS:
        detail = f"provider_template.parameters: there is no placeholder {parameter[:100]!r}"
        raise Refused(RefusedReason.UNKNOWN_PLACEHOLDER, detail)
    return {parameter}


class _Check:
    """One field's source; collects the placeholders."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._names: set[str] = set()
        self._leftovers = ("{{",) if field == "body_html" else ("{{", "}}")  # a style sheet may well end in }}

    def source(self, source: str) -> set[str]:
        environment = HTML if self._field == "body_html" else TEXT
        try:
            if next(islice(environment.lex(source), MAX_TOKENS, None), None) is not None:
                self._refuse("it has too many placeholders and conditions")
            self._body(environment.parse(source).body, 0)
            environment.from_string(source)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            self._refuse(f"{error.message}{f' (line {line})' if line else ''}")
        except (RecursionError, SyntaxError):
            self._refuse("it is nested too deeply")
        return self._names

    def _refuse(self, detail: str) -> NoReturn:
        raise Refused(RefusedReason.UNKNOWN_PLACEHOLDER, f"{self._field}: {one_line(detail)}")

    def _refuse_node(self, node: nodes.Node) -> NoReturn:
        what = _NAMES.get(type(node), type(node).__name__.lower())
        self._refuse(f"{what} (line {node.lineno}) is not allowed in a template")

    def _enter(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._refuse("it is nested too deeply")

    # -- statements

    def _body(self, body: Sequence[nodes.Node], depth: int) -> None:
        self._enter(depth)
        for node in body:
            if isinstance(node, nodes.Output):
                for each in node.nodes:
                    self._value(each, depth)
            elif isinstance(node, nodes.If):
                self._condition(node.test, depth + 1)
                for branch in (node.body, node.elif_, node.else_):
                    self._body(branch, depth + 1)
            else:
                self._refuse_node(node)

    # -- expressions

    def _value(self, node: nodes.Node, depth: int) -> None:
        self._enter(depth)
        match node:
            case nodes.TemplateData(data=text) | nodes.Const(value=str(text)):
                self._constant(text, node)
            case nodes.Name(name=name):
                self._placeholder(name)
            case nodes.Getattr(node=nodes.Name(name=name)) if name == EXTRA:
                pass
            case nodes.Filter():
                self._filter(node, depth)
            case nodes.CondExpr(test=test, expr1=yes, expr2=no) if no is not None:
                self._condition(test, depth + 1)
                self._value(yes, depth + 1)
                self._value(no, depth + 1)
            case nodes.Or(left=left, right=right) | nodes.And(left=left, right=right):
                self._value(left, depth + 1)
                self._value(right, depth + 1)
            case nodes.Concat(nodes=parts):
                for part in parts:
                    self._value(part, depth + 1)
            case _:
                self._refuse_node(node)

    def _condition(self, node: nodes.Node, depth: int) -> None:
        self._enter(depth)
        match node:
            case nodes.Not(node=inner):
                self._condition(inner, depth + 1)
            case nodes.And(left=left, right=right) | nodes.Or(left=left, right=right):
                self._condition(left, depth + 1)
                self._condition(right, depth + 1)
            case nodes.Compare(expr=first, ops=operands):
                self._value(first, depth + 1)
                for operand in operands:
                    if operand.op not in _COMPARISONS:
                        self._refuse(f"only ==, !=, in and not in are compared (line {node.lineno})")
                    self._value(operand.expr, depth + 1)
            case _:
                self._value(node, depth)

    def _constant(self, text: str, node: nodes.Node) -> None:
        for leftover in self._leftovers:
            if leftover in text:
                self._refuse(f"{leftover} would be left over (line {node.lineno})")
        try:
            text.encode()
        except UnicodeEncodeError:  # Jinja reads "\\ud800" as Python does
            self._refuse(f"half a character (line {node.lineno})")

    def _placeholder(self, name: str) -> None:
        if name not in PLACEHOLDERS:
            hint = f"{EXTRA}.<name> is meant" if name == EXTRA else f"there is no placeholder {name[:100]!r}"
            self._refuse(hint)
        self._names.add(name)

    def _filter(self, node: nodes.Filter, depth: int) -> None:
        if node.name not in FILTERS or node.node is None:
            self._refuse(f"there is no filter {node.name[:100]!r}; there are {', '.join(sorted(FILTERS))}")
        self._value(node.node, depth + 1)
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self._refuse_node(node)
        arguments = [self._argument(each) for each in node.args]
        named = {str(each.key): self._argument(each.value) for each in node.kwargs}
        try:
            for probe in _PROBES:
                TEXT.call_filter(node.name, probe, arguments, named)
        except (TypeError, ValueError, AssertionError, TemplateError) as error:
            self._refuse(f"the filter {node.name} cannot be used so: {error}")

    def _argument(self, node: nodes.Node) -> str | int:
        if not isinstance(node, nodes.Const) or not isinstance(node.value, str | int):
            self._refuse(f"a filter's argument is quoted text or a number (line {node.lineno})")
        if isinstance(node.value, str):
            self._constant(node.value, node)
        return node.value


_NAMES: dict[type[nodes.Node], str] = {
    nodes.For: "a loop",
    nodes.Call: "a call",
    nodes.Getattr: "an attribute",
    nodes.Getitem: "an index",
    nodes.Test: "a test with `is`",
    nodes.Const: "a constant that is no text",
    nodes.CondExpr: "a choice without else",
    nodes.Compare: "a comparison as text",
    nodes.Not: "a negation as text",
}
"""What a person calls it."""
