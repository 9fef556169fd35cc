"""Text templates: what they can do, what the sandbox refuses, and the bounds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actbook.blocks import _template, _time_bound
from actbook.blocks.standard.templates import FillTextTemplateBlock
from actbook.blocks.testing import assert_outputs, error_of, run_block, run_block_async
from actbook.graphs import ExecutionContext


def _filled(template: str, **values: Any) -> Any:
    outputs = run_block(FillTextTemplateBlock, {"format": template, "values": values})
    assert [pin for pin, _ in outputs] == ["output"]
    return outputs[0][1]


def _failed(template: str, **values: Any) -> str:
    return error_of(FillTextTemplateBlock, {"format": template, "values": values})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ NAME }}", "Ada"),
        ("a{{ unknown }}b", "ab"),
        ("{{ none }} {{ yes }} {{ None }} {{ True }}", "None True None True"),
        ("line\n", "line"),
        ("line\n\n", "line\n"),
        ("{{ 3.14159 | format('%.2f') }}", "3.14"),
        ("{{ '7' | format('%d') }}", "7"),
        ("{% for x in items %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}", "1/2:a 2/2:b "),
        ("{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "none"),
        ("{% for x in unknown %}x{% endfor %}", ""),
        ("{% for x in items if x != 'a' %}{{ x }}{% endfor %}", "b"),
        ("{% for n in tree recursive %}({{ loop(n.c) }}){% endfor %}", "(())"),
        ("{{ items | join('-') }} {{ items | map('upper') | join }}", "a-b AB"),
        ("{{ [1, 2] | sum }} {{ 'a b' | title }} {{ items | length }}", "3 A B 2"),
        ("{{ range(3) | list }}", "[0, 1, 2]"),
        ("{{ 2 ** 3 }} {{ 'ab' * 2 }} {{ 7 % 4 }} {{ '%s!' % 'a' }} {{ 'a' + 'b' }}", "8 abab 3 a! ab"),
        ("{{ 'a' ~ 1 ~ None }}", "a1None"),
        ("{{ 'a,b'.split(',') }} {{ '{}-{}'.format(1, 2) }} {{ 'a'.center(3) }}|", "['a', 'b'] 1-2  a |"),
        ("{{ 'a' | center(3) }}|{{ 'x\ny' | indent(2) }}", " a |x\n  y"),
        (
            "{{ items | batch(1) | list }} {{ 2.6 | round }} {{ 'abc' | replace('b', '') }}",
            "[['a'], ['b']] 3.0 ac",
        ),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}", "<1>"),
        ("{% set a %}{{ NAME }}!{% endset %}{{ a }}", "Ada!"),
        ("{{ '<b>' }}", "<b>"),
        ("{{ ','.join(items | map('upper')) }} {{ tree | join(attribute='c') }}", "A,B [{'c': []}]"),
        ("{% set a, b = 1, 2 %}{{ b }}{{ a }} {{ 'a' in ('a', 'b') }} {{ {'k': [1]}.k }}", "21 True [1]"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %} {{ [] }}{{ {} }}", "a1 []{}"),
        ("{{ '%s %s' % (1, 2) }} {{ -1 * -2 }} {{ [1] + [2] }} {{ -1 * 'a' }}", "1 2 2 [1, 2] "),
    ],
)
def test_rendering(template: str, text: str) -> None:
    values: dict[str, Any] = {
        "NAME": "Ada",
        "none": None,
        "yes": True,
        "items": ["a", "b"],
        "tree": [{"c": [{"c": []}]}],
    }
    assert _filled(template, **values) == text


def test_values_come_over_dynamic_pins_beside_an_empty_constant() -> None:
    data = {"values": {}, "format": "{{ X }} in {{ Y }}", "values_#_X": "tea", "values_#_Y": "pots"}
    assert_outputs(FillTextTemplateBlock, data, ("output", "tea in pots"))


def test_escaping_is_by_choice() -> None:
    data = {"values": {"a": "<&>"}, "format": "{{ a }}{{ a ~ '<' }}<b>", "escape_html": True}
    assert_outputs(FillTextTemplateBlock, data, ("output", "&lt;&amp;&gt;&lt;&amp;&gt;&lt;<b>"))


def test_a_random_choice_is_always_the_same() -> None:
    template = "{{ items | random }}{{ [] | random }}"
    assert _filled(template, items=list(range(1000))) == _filled(template, items=list(range(1000)))


def test_values_are_not_changed() -> None:
    values: dict[str, Any] = {"items": [1]}
    assert "unsafe" in _failed("{{ items.append(2) }}", **values)
    assert values == {"items": [1]}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ b.c }}", "'b' is undefined"),
        ("{{ a b }}", "expected token 'end of print statement', got 'b'"),
        ("{% if %}", "Expected an expression, got 'end of statement block'"),
        ("{{ 1 | tojson }}", "No filter named 'tojson'."),
        ("{{ 1 | pprint }}", "No filter named 'pprint'."),
        ("{{ 1 | urlize }}", "No filter named 'urlize'."),
        ("{{ 1 | xmlattr }}", "No filter named 'xmlattr'."),
        ("{{ namespace() }}", "'namespace' is undefined"),
        ("{{ dict() }}", "'dict' is undefined"),
        ("{% include 'x' %}", "no loader for this environment specified"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ range(10001) }}", "range() too large (10001 items, max 10000)"),
        ("{{ 2 ** 1001 }}", "Exponent too large (max 1000)"),
        ("{{ 1001 ** 2 }}", "Base too large for exponentiation (max 1000)"),
        ("{{ 'ab' * 5001 }}", "Sequence repeat too large (max 10000 items)"),
        ("{{ 10001 * [0] }}", "Sequence repeat too large (max 10000 items)"),
        ("{{ ''.__class__.mro() }}", "access to attribute '__class__' of 'str' object is unsafe."),
        (
            "{{ ('a' | attr('__class__')).mro() }}",
            "access to attribute '__class__' of 'str' object is unsafe.",
        ),
        ("{{ '{0.__class__.x}'.format(1) }}", "access to attribute '__class__' of 'int' object is unsafe."),
        ("{{ 'a'.translate({}) }}", "access to attribute 'translate' of 'str' object is unsafe."),
        ("{{ x | step wise }}", "expected token 'end of print statement', got 'wise'"),
    ],
)
def test_refusals(template: str, text: str) -> None:
    assert _failed(template) == text


SELF_FEEDING_MACRO = """{% macro m(n) %}{% if n %}{{ m(n - 1, varargs, varargs, varargs, varargs) }}
{% endif %}{% endmacro %}{{ m(30, 'xxx') }}"""
LONG_ATTRIBUTES = """{% set a = 'x' * 10000 %}{% set b = [{'k': a}] * 10 %}
{{ ((b + b + b) * 90) | join(attribute='k') }}"""


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' | center(1000000000) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ 'x' | indent(1000000000, true) }}",
        "{{ [1] | batch(1000000000, 0) | list }}",
        "{{ [1] | slice(1000000000) | list }}",
        "{{ 1.5 | round(1000000000, 'floor') }}",
        "{{ 1 | format('%1000000000d') }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ '{:>{}}'.format(1, 1000000000) }}",
        "{% set a = 'x' * 10000 %}{% set b = a | replace('x', a) %}{{ b.replace('x', a) | length }}",
        "{% set a = 'x' * 10000 %}{% set b = [a] * 10000 %}{{ b | join('') | length }}",
        "{% set a = 'x' * 10000 %}{% set b = [a] * 10000 %}{{ ''.join(b) | length }}",
        "{% set a = 'x' * 10000 %}{% for i in range(10000) %}{{ a }}{% endfor %}",
        "{% set a = 'x' * 10000 %}{% set b %}{% for i in range(10000) %}{{ a }}{% endfor %}{% endset %}.",
        "{% set a = 9 ** 999 %}" + "{% set a = a * a %}" * 20,
        "{% set a = 'x' * 10000 %}" + "{% set a = a + a %}" * 20,
        "{% set a = 'x' * 10000 %}" + "{% set a = a ~ a %}" * 20,
        "{% set a = ['xxx'] %}" + "{% set a = [a, a, a, a] %}" * 20 + "{{ a }}",
        "{% set a = ['xxx'] %}" + "{% set a = (a, a, a, a) %}" * 20 + "{{ a }}",
        "{% set a = ['xxx'] %}" + "{% set a = {'a': a, 'b': a, 'c': a} %}" * 20 + "{{ a }}",
        "{% set a = ['xxx'] %}" + "{% set a = [a] * 100 %}" * 20 + "{{ a }}",
        "{% set a = ['xxx'] * 100 %}" + "{% set a = [a] + [a] %}" * 30 + "{{ a }}",
        "{% set a = 'x' * 10000 %}{% set b = range(9999) | map('attr', 'b') | map('default', a) | list %}",
        "{% set a = 'x' * 10000 %}{{ range(9999) | map('attr', 'b') | map('default', a) | join }}",
        LONG_ATTRIBUTES,
        SELF_FEEDING_MACRO,
        "{% set a = 'x' * 10000 %}{% set a = a.replace('x', 'x' * 100) %}{{ [a] * 99 ~ '' }}",
    ],
)
def test_sizes_are_bounded(template: str) -> None:
    assert re.search("too (long|large|complex)", _failed(template))


NESTED = "{% for i in range(10000) %}" * 3 + "{% endfor %}" * 3
IN_A_MACRO = """{% macro m(n) %}{% for i in n %}{% endfor %}{{ n }}{% endmacro %}
{% for i in range(10000) %}{{ m(range(10000)) }}{% endfor %}"""
RECURSIVE = """{% for i in range(10000) recursive %}
{% if loop.depth0 < 3 %}{{ loop(range(10000)) }}{% endif %}{% endfor %}"""


@pytest.mark.parametrize("template", [NESTED, IN_A_MACRO, RECURSIVE])
def test_time_is_bounded(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_template, "TEMPLATE_SECONDS", 0.1)
    assert _failed(template) == "Template rendering timed out after 0.1s (expression too complex)"


def test_the_bound_is_ten_seconds() -> None:
    assert _template.TEMPLATE_SECONDS == 10
    assert _time_bound.QUICK <= 0.05


def test_a_quick_template_needs_no_thread_and_a_slow_one_leaves_the_loop_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_template, "TEMPLATE_SECONDS", 0.2)
    block = FillTextTemplateBlock()

    async def run() -> tuple[Any, int]:
        turns = 0
        running = asyncio.ensure_future(
            run_block_async(block, {"format": NESTED, "values": {}}, ExecutionContext())
        )
        while not running.done():
            await asyncio.sleep(0)
            turns += 1
        return running.result(), turns

    quick = block.run(block.Input(values={}, format="x"), ExecutionContext())
    assert not isinstance(quick, AsyncIterator)
    assert list(quick) == [("output", "x")]
    outputs, turns = asyncio.run(run())
    assert outputs[0][0] == "error"
    assert turns > 5


def test_a_deep_template_fails_like_any_other() -> None:
    assert _failed("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}")


def test_a_large_template_is_rendered_in_a_thread() -> None:
    assert _filled("x" * 30_000 + "{{ a }}", a="y") == "x" * 30_000 + "y"
