"""Writes Tests/Fixtures/jinja-cases.json: small templates and what jinja2 makes of them.

Usage: make_cases.py [OUTPUT]. The environment is transformers' own (sandboxed, trim_blocks, lstrip_blocks, loopcontrols,
generation, its tojson), the clock is 2025-07-04 15:06:09. Rows that Python refuses hold the exception's type.
"""

import datetime
import json
import pathlib
import sys

import transformers.utils.chat_template_utils as utils

CONTEXT = {
    "s": "Hello, World", "empty": "", "spaces": "  \t padded \n ", "uni": "Stra\u00dfe \u0130 \u03a3\u0391\u03a3 \u4e2d\u6587 \U0001f600 e\u0301", "n": 42, "neg": -7, "f": 3.5,
    "big": 1e20, "small": 1e-7, "whole": 2.0, "yes": True, "no": False, "nil": None, "l": [3, 1, 2], "nested": [[1, 2], [3], []],
    "words": ["banana", "Apple", "cherry", "apple"], "d": {"b": 1, "a": [1, "x"], "C": None, "items": "shadow"},
    "users": [{"name": "Bob", "age": 30, "tags": ["x", "y"]}, {"name": "alice", "age": 25, "tags": []},
              {"name": "Carol", "age": 30}],
    "quotes": "it's \"q\" \\ \n\t\u0001\u007f\u00a0\u2028", "html": "<b>&'\"</b>", "lines": "one\ntwo\r\nthree\n\nfive", "text": "the quick brown fox jumps over the lazy-dog well",
    "huge": 123456789012345678901234567890, "mixed": [1, 1.0, True, "1", None, {"k": [1.5]}],
}

EXPRESSIONS = r"""
s|upper ~ s|lower ~ s|length
1 + 2 * 3 - 4 / 2
7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 % -3, 7.5 // 2, -7.5 % 2
2 ** 10, 2 ** -1, 2.0 ** 0.5, -2 ** 2, 2 ** 3 ** 2
1 / 3
10 / 5
1e16
1e15
1e-5, 0.0001, 123456789.125, 1.0, 100.0, 1e22, 5e-324
big, small, whole, f
0.1 + 0.2
1_000_000 + 0x1f + 0b101 + 0o17
"a" ~ 1 ~ 2.5 ~ none ~ true ~ [1, 'x'] ~ {'k': none}
"ab" * 3 ~ 2 * "c" ~ "x" * -1
[1, 2] + [3] * 2
(1, 2) + (3,)
(1,), (), (1, 2)
[1, (2, [3, {'a': "it's"}])]
{'a': 1, 2: 'b', none: true, 1.5: [], (1, 2): 'tuple'}
{'a': 1, 'a': 2, 'b': 3}
{1: 'a', 1.0: 'b', true: 'c'}
s[0], s[-1], s[1:4], s[::-1], s[-3:], s[:-3], s[::2], s[5:2], s[10:100], s[-100:3], s[8:2:-2]
l[0], l[-1], l[1:], l[::-1], l[:0], l[5:], l[-2:]
uni|upper, uni|lower, uni|length, uni[::-1], uni|title, uni|capitalize
uni.swapcase(), uni.casefold(), uni.title()
quotes
[quotes]
quotes|tojson
[html, "'", '"', "'\""]
html|e == "", html|e|length
d.a, d['b'], d.C, d.missing is defined, d.items is callable, d['items']
d.get('b'), d.get('zz'), d.get('zz', 9), d.keys()|list, d.values()|list
d.items()|list
d.keys(), d.values(), d.items()
nil, yes, no, missing
[missing, nil]
missing is defined, s is defined, missing is undefined, missing|default('x'), missing|d('y'), nil|default('z'), nil|default('z', true), ''|d('e', true)
missing ~ "x", missing|length, missing|list, missing|upper, missing or 'other'
missing == missing2, missing == none, missing == ''
not missing, not nil, not [], not 0, not '0'
1 < 2 < 3, 1 < 3 < 2, 1 == 1.0, 1 == true, '1' == 1, [1] == [1.0], (1,) == [1]
'a' < 'b', [1, 2] < [1, 3], 'B' < 'a', 'abc' < 'abcd'
1 in l, 9 not in l, 'b' in d, 'World' in s, '' in s, none in [none], 'x' in ('x', 'y')
l is sequence, d is mapping, s is string, s is sequence, d is sequence, l is iterable, 5 is iterable, s is iterable, nil is none
n is number, f is float, n is integer, yes is integer, yes is number, yes is boolean, yes is true, no is false, 1 is true
n is odd, n is even, n is divisibleby 7, n is divisibleby(5), 3 is odd
s is lower, s is upper, 'abc' is lower, 'ABC1' is upper, '1' is upper
n is eq 42, n is equalto(42), n is ne 4, n is gt 41, n is lt(43), n is ge 42, n is le 42, n is greaterthan 1, 'a' is in ['a'], 3 is sameas 3
n is not none, n is not string and yes
range is callable, s.upper is callable, s is callable
'upper' is filter, 'nope' is filter, 'odd' is test, 'nope' is test
yes and 'x', no and 'x', yes or 'x', no or '', '' or none or 0
'a' if yes else 'b', 'a' if no else 'b', 'a' if no
('a' if no) is defined
'x' if no else 'y' if no else 'z'
not yes == no
not 1 in l
-n, +n, --n, -f, -yes
n - -1
'%s is %d years, %5.2f|%-6s|%06d|%x|%r|%%' % ('Bob', 30, 3.14159, 'ab', 42, 255, "q")
'%s' % 'x', '%s' % none, '%s' % [1, 2], '%(a)s-%(b)03d' % {'a': 1, 'b': 2}
'%5s|%-5s|%.2s' % ('ab', 'ab', 'abcdef')
'%e %E %g %G' % (12345.678, 0.00012, 1e10, 1e-10)
'%+d % d %i %o %X %#x %c %c' % (5, 5, 5.9, 8, 255, 255, 65, 'z')
'%*d|%-*d' % (5, 42, 5, 42)
'%s and %s'|format('a', 'b')
'%(x)s'|format(x=1)
'{} {} {0}'.replace('{0}', '').format(1, 'b')
'{0} {1} {0}'.format('a', 'b')
'{a} {b[0]} {c.k}'.format(a=1, b=[2], c={'k': 3}['k'] is defined and s)  if false else 'skip'
'{:>5}|{:<5}|{:^5}|{:*^7}|{:05d}|{:,}|{:.2f}|{:+}|{:x}|{:e}'.format('a', 'b', 'c', 'd', 42, 1234567, 3.14159, 5, 255, 12345.678)
'{!r} {!s} {{}}'.format('a', 'b')
'{:{}}|'.format('a', 5)
'{:>8.3}|{:_}|{:%}|{:.1%}|{:g}|{:b}|{:#x}|{:c}'.format('abcdef', 1234567, 0.5, 0.256, 1e-9, 5, 255, 65)
s.upper(), s.lower(), s.title(), s.capitalize(), s.swapcase()
'hELLO wORLD it\'s'.title(), 'hELLO wORLD it\'s'|title, 'foo-bar (baz) [x] {y} <z>'|title
spaces.strip(), spaces.lstrip(), spaces.rstrip(), 'xxaxx'.strip('x'), 'xyaxy'.lstrip('xy'), 'xyaxy'.rstrip('yx')
spaces|trim, 'xxaxx'|trim('x')
s.split(), s.split(','), s.split(', '), 'a,b,c'.split(',', 1), 'a,b,c'.rsplit(',', 1), ' a  b '.split(), ' a  b '.split(' ')
' a b  c '.split(none, 1), ' a b  c '.rsplit(none, 1), 'a b c'.split(maxsplit=1)
lines.splitlines(), lines.splitlines(true)
s.startswith('Hello'), s.startswith(('x', 'H')), s.endswith('d'), s.endswith(('x', 'ld')), s.startswith('World', 7), s.startswith('')
s.find('o'), s.rfind('o'), s.find('zz'), s.index('W'), s.count('o'), s.find('o', 5), s.find('o', 5, 7), s.count(''), s.rindex('o')
s.replace('o', '0'), s.replace('o', '0', 1), s.replace('', '-'), s|replace('l', 'L'), s|replace('l', 'L', 2)
', '.join(words), ''.join([]), '-'.join('abc')
'42'.zfill(5), '-42'.zfill(5), '+7'.zfill(4), 'a'.ljust(4) ~ '|', 'a'.rjust(4), 'a'.center(5) ~ '|', 'ab'.center(5, '*'), 'a'.center(4, '*')
'123'.isdigit(), ''.isdigit(), '12a'.isdigit(), 'abc'.isalpha(), 'ab1'.isalnum(), ' \t'.isspace(), 'ABC'.isupper(), 'abc'.islower(), 'Abc Def'.istitle(), '\u00b2'.isdigit(), '\u00b2'.isdecimal(), '\u00bd'.isnumeric()
'prefix-x'.removeprefix('prefix-'), 'x.txt'.removesuffix('.txt'), 'abc'.removeprefix('z')
'a=b=c'.partition('='), 'a=b=c'.rpartition('='), 'abc'.partition('='), 'abc'.rpartition('=')
'a\tb\tc'.expandtabs(4), 'abc'.isascii(), 'abc'.isidentifier(), '1a'.isidentifier(), 'a\n'.isprintable()
l|sort, l|sort(reverse=true), words|sort, words|sort(case_sensitive=true), users|sort(attribute='name')|map(attribute='name')|list
users|sort(attribute='age,name')|map(attribute='name')|join(' ')
l|first, l|last, l|length, l|sum, l|min, l|max, words|min, words|max(case_sensitive=true), []|first, []|sum
l|join, l|join('-'), users|join(', ', attribute='name'), 'abc'|join('.'), d|join('+')
users|map(attribute='name')|list, users|map(attribute='zip', default='-')|list, words|map('upper')|list, words|map('replace', 'a', 'A')|join(',')
users|map(attribute='tags.0', default='none')|list
users|selectattr('tags')|map(attribute='name')|list, users|selectattr('age', 'equalto', 30)|map(attribute='name')|list, users|rejectattr('age', 'gt', 26)|map(attribute='name')|list, users|selectattr('tags', 'defined')|list|length
l|select('odd')|list, l|reject('odd')|list, [0, 1, '', 'a']|select|list, [0, 1]|reject|list, l|select('greaterthan', 1)|list, words|select('in', ['apple'])|list
users|groupby('age')|length
users|groupby('age')|map('first')|list
l|reverse|list, 'abc'|reverse, words|unique|list, words|unique(case_sensitive=true)|list
[1, 2, 3, 4, 5]|batch(2)|list, [1, 2, 3, 4, 5]|batch(2, 'x')|list, [1, 2, 3, 4, 5]|slice(2)|list, [1, 2, 3, 4, 5]|slice(3, 'x')|list
{'b': 1, 'A': 2, 'c': 0}|dictsort, {'b': 1, 'A': 2}|dictsort(true), {'b': 1, 'A': 2}|dictsort(by='value'), {'b': 1, 'A': 2}|dictsort(reverse=true)
{'b': 1}|items|list, missing|items|list
'42'|int, 'x'|int, 'x'|int(7), '3.9'|int, 3.9|int, '0x1f'|int(0, 16), ' 7 '|int, none|int, true|int, '1_000'|int, '-5'|int
'3.5'|float, 'x'|float, 'x'|float(1.5), 2|float, '1e3'|float, ' 2 '|float, 'inf'|float, '.5'|float, '5.'|float
3.7|round, 3.14159|round(2), 2.5|round, 3.5|round, 7|round, 1234.5|round(-2), 3.2|round(method='ceil'), 3.8|round(0, 'floor'), 2.675|round(2)
-5|abs, -5.5|abs, neg|abs
n|string, f|string, nil|string, l|string ~ '!'
lines|indent, lines|indent(2), lines|indent(2, true), lines|indent(2, blank=true), lines|indent('> ', true), 'a'|indent(2, first=true), 'a\n'|indent, ''|indent(2, true)
text|wordcount, text|truncate(20), text|truncate(20, true), text|truncate(20, false, '!'), 'short'|truncate(10), text|truncate(9, leeway=0)
text|wordwrap(10), text|wordwrap(20, wrapstring='|'), 'abcdefghijkl mn'|wordwrap(5), 'abcdefghijkl mn'|wordwrap(5, false)
'x'|center(9) ~ '|', 'abc'|center(2)
'a b/c?d=\u00e9&'|urlencode, {'a': 1, 'b c': '/'}|urlencode
'<p>a <b>x</b>\n  y</p>'|striptags
123456|filesizeformat, 1|filesizeformat, 999|filesizeformat, 1048576|filesizeformat(true)
l|pprint, s|pprint, l|tojson|length
d|tojson, l|tojson, s|tojson, nil|tojson, f|tojson, yes|tojson, html|tojson, uni|tojson, huge|tojson, mixed|tojson
d|tojson(indent=2)
users|tojson(indent=4)
nested|tojson(indent=0)
d|tojson(separators=(',', ':')), uni|tojson(ensure_ascii=true), {'b': 1, 'a': 2}|tojson(sort_keys=true), {1: 2, none: 3, true: 4, 1.5: 5}|tojson
[]|tojson(indent=2), {}|tojson(indent=2), [[]]|tojson(indent=2), [1]|tojson(indent='--')
1.0|tojson, 1e20|tojson, 1e16|tojson, 0.1|tojson, (1, 2)|tojson
huge, [huge], huge == huge, huge is integer
mixed
nested, nested|length, nested[0][1], nested|map('length')|list, nested|sum(start=[])
users[0].name, users[0]['name'], users.0.name, users[-1].name, (users|first).tags|join
users|map(attribute='tags')|select('defined')|list
range(5)|list, range(2, 5)|list, range(10, 0, -3)|list, range(0)|list, range(5), range(1, 11, 2), range(3)[1], 2 in range(3), range(5)|length
dict(a=1, b=2), dict({'x': 1}, y=2), dict([('a', 1)]), dict()
strftime_now('%Y-%m-%d %H:%M:%S'), strftime_now('%d %b %Y'), strftime_now('%A %B %j %U %w %y %I %p %%'), strftime_now('%-d %e %a %G-W%V %u %W %D %F %T')
namespace(a=1).a, namespace({'b': 2}).b
"a" "b" 'c'
'\n\t\\\'\"\x41\u00e9\101\q' ~ "|"
"caf\u00e9"|length
1.5e3, 1E3, 0.5, 12.0e-2
[1, 2, 3][1:], [1, 2, 3][-1:], [1,2,3,4,5][1:4:2], (1, 2, 3)[::-1]
'abc'[5:], 'abc'[5] is defined, l[10] is defined, d[0] is defined
l.index(2), l.count(3), (1, 2).index(2), words.count('apple')
'abc' in ['abc'], ['a'] in [['a']], {'a': 1} == {'a': 1.0}
1 if 2 > 1 else 3 ~ 'x'
(1 if no else 2) ~ 'x'
[1, 2, 3]|map('string')|join('+'), [1, 2]|map('float')|list
'x' ~ (1, 2) ~ 'y'
{'a': {'b': {'c': 1}}}.a.b.c, {'a': [{'b': 2}]}.a[0].b
'a' not in 'abc' or 'b' in 'abc'
1 == 1 and 2 == 2, 1 != 2, 3 >= 3, 3 <= 2
s|upper|lower|title|length
(s|upper)[0], s|first, s|last, s|list|length
'abc'|map('upper')|join, d|map('upper')|join(',')
d|length, d|list, d|first, d|sort
''|first is defined, 'a'|string is string
s is string and n is number or missing
users|selectattr('name', 'in', ['Bob', 'Carol'])|map(attribute='age')|sum
users|sum(attribute='age'), users|max(attribute='age'), (users|min(attribute='age')).name
f.is_integer(), whole.is_integer(), n.bit_length()
'a,b;c'.replace(',', ';').split(';'), '  x '.strip().upper()
'abc'.upper is callable
"%.3f" % 2.0005, "%.0f" % 0.5, "%.0f" % 1.5, "%5.1f|" % -2.25
1 is defined, none is defined, 'x' is none
l|attr('count') is callable, s|attr('upper')() 
"\u4e2d" * 2, '\U0001f600'|length
none|trim, 5|upper, true|lower, 1.5|replace('.', ',')
'a' < 'B'|lower, ('a' ~ 'b')|upper
true, True, false, False, none, None
[true, false, none]
yes|string ~ no ~ nil
"tab\there", 'nl\nx'|tojson
{'x': yes, 'y': nil, 'z': 'w'}
not (1 > 2), (not yes) is false
'abc'|batch(2)|list, 'abcde'|slice(2)|list
"{{ not a tag }}", '{% nor this %}', "}}"
loop is defined, caller is defined
[[1, 2], [3, 4]]|map('join', '-')|list, [[1, 2], [3, 4]]|map('first')|list, [[3, 1]]|map('sort')|list
'a b c'.split()|map('upper')|join(' '), 'k=v'.split('=')|last
1000000 * 1000000, 9223372036854775807, -9223372036854775807 - 1
5 // 0.3, 1e308 * 10, -1e308 * 10
"x".join(['a', 'b']) ~ "x"|join
messages is defined and messages, (users|length > 2) ~ ''
users|map('tojson')|join('\n')
users|map(attribute='name')|map('lower')|sort|join(', ')
""".strip("\n").split("\n")

TEMPLATES = [
    "{% for x in l %}{{ loop.index }}/{{ loop.length }}:{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in l %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem is defined }} {% endfor %}",
    "{% for x in [1,1,2,2,1] %}{{ loop.changed(x) }} {{ loop.cycle('a', 'b', 'c') }};{% endfor %}",
    "{% for x in [] %}x{% else %}none{% endfor %}",
    "{% for x in l if x > 1 %}{{ loop.index }}{{ x }}{{ loop.length }} {% else %}none{% endfor %}",
    "{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in d %}{{ k }},{% endfor %}{% for c in 'abc' %}[{{ c }}]{% endfor %}",
    "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a in 1, 2, 3 %}{{ a }}{% endfor %}",
    "{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in [1, 2] %}{% for y in [3, 4] %}{% if y == 4 %}{% break %}{% endif %}{{ x }}{{ y }}{{ loop.index }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% for item in [{'n': 1, 'c': [{'n': 2, 'c': [{'n': 3}]}]}, {'n': 4}] recursive %}{{ loop.depth }}:{{ item.n }}{% if item.c %}({{ loop(item.c) }}){% endif %} {% endfor %}",
    "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=0, l=[]) %}{% for i in [1, 2, 3] %}{% set ns.x = ns.x + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.x }} {{ ns.l }}",
    "{% if no %}a{% elif nil %}b{% elif n == 42 %}c{% else %}d{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}{% if missing is defined and missing.x.y %}c{% endif %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set (p, q) = [3, 4] %}{{ p + q }}",
    "{% set t %}a{{ n }}b{% endset %}{{ t }}|{{ t is string }}",
    "{% set t | upper | replace('A', 'x') %}a{{ n }}b{% endset %}{{ t }}",
    "{% if true %}{% set inside = 1 %}{% endif %}{{ inside }}",
    "{% macro m(a, b=2, c='x') %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(1, c='y') }} {{ m(b=5, a=6) }} {{ m() }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m('x', 'y') }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, a=3) }}",
    "{% macro m(a) %}{{ a }}{{ caller() }}{% endmacro %}{% call m(1) %}body{{ n }}{% endcall %}",
    "{% macro m() %}[{{ caller(1, 2) }}]{% endmacro %}{% call(a, b) m() %}{{ a + b }}{% endcall %}",
    "{% macro fact(n) %}{{ 1 if n <= 1 else n * (fact(n - 1) | int) }}{% endmacro %}{{ fact(5) }}",
    "{% macro m() %}{{ outer }}{% endmacro %}{% set outer = 'late' %}{{ m() }}",
    "{% macro m(x) %}{% set y = x ~ '!' %}{{ y }}{% endmacro %}{{ m('a') }}{{ y is defined }}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}",
    "{% macro m(x) -%}\n   {{ x }}\n{%- endmacro %}[{{ m('a') | upper }}]",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% set c = 3 %}{{ c }}{% endwith %}{{ a is defined }}{{ c is defined }}",
    "{% filter upper %}abc {{ s }}{% endfilter %}|{% filter replace('a', 'b') | upper %}aa{% endfilter %}",
    "{% raw %}{{ x }} {% if %} {# no #}{% endraw %}|{% raw -%}  a  {%- endraw %}|",
    "a{# comment {{ x }} #}b{#- c -#} d",
    "{% generation %}gen {{ n }}{% endgeneration %}|",
    "{% print n, s %}",
    "a\n  {% if true %}\n  b\n  {% endif %}\nc\n",
    "a\n  {%+ if true %}\n  b\n  {%- endif +%}\nc\n\n",
    "a\n  {{ n }}\n  {{- n -}}\n  b\n",
    "{%- for x in l -%}\n  {{ x }}\n{%- endfor -%}\n end \n",
    "  {% set a = 1 %}  x\n\t{% set b = 2 %}\n  {# c #}\n  {#- d #}  e",
    "x {% if true %} y {% endif %} z\n{% if true +%}\nw{% endif %}",
    "line1\r\nline2\rline3\n{% if true %}\r\nx{% endif %}\n\n",
    "{{ 'a' }}\n{{ 'b' }}\n\n{{ 'c' }}\n",
    "{% for x in l %}\n{{ x }}\n{% endfor %}\n{% if true %}x{% endif %}\n",
    "\n\n{% if true %}\n\nx\n\n{% endif %}\n\n",
    "{% set j = joiner(' | ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{% set _ = c.reset() %}{{ c.current }}",
    "{% macro f(x) %}{{ x }}{% endmacro %}{{ [1, 2] | map('string') | join }}{{ f(*[1]) }}{{ f(**{'x': 2}) }}",
    "{% for m in users %}{% if loop.first or m.age != loop.previtem.age %}{{ m.age }}: {% endif %}{{ m.name }} {% endfor %}",
    "{% for age, group in users | groupby('age') %}{{ age }}:{% for u in group %}{{ u.name }},{% endfor %}{% endfor %}",
    "{% for g in users | groupby('age') %}{{ g[0] }}{{ g[1] | length }} {% endfor %}",
    "{% for u in users %}{{ u }}{% endfor %}",
    "{% set x = 5 %}{% with x = 6 %}{{ x }}{% endwith %}{{ x }}{% for x in [7] %}{{ x }}{% endfor %}{{ x }}",
    "{% for x in l %}{% set ns = namespace(found=false) %}{% if x == 1 %}{% set ns.found = true %}{% endif %}{{ ns.found }}{% endfor %}",
    "{{- '  a' }}  {{ 'b  ' -}}   c",
    "{% set l2 = l | sort | list %}{{ l2[0] }}{{ l }}",
    "{%- set ns = namespace() -%}\n{%- set ns.a = {'k': [1]} -%}{{ ns.a.k[0] }}{{ ns.b is defined }}",
    "{% for i in range(3) %}{{ '%02d' % i }}{{ ',' if not loop.last }}{% endfor %}",
    "{% if 'x' in d %}x{% elif 'a' in d and d['a'][1] == 'x' %}ok{% endif %}",
    "{% set x %}{% for i in l %}{{ i }}{% endfor %}{% endset %}{{ x | int + 1 }}",
    "{% for i in l %}{% if loop.index is divisibleby 2 %}even{% else %}odd{% endif %}{% endfor %}",
    "{% macro outer() %}{% macro inner(x) %}<{{ x }}>{% endmacro %}{{ inner(1) }}{% endmacro %}{{ outer() }}",
    "{% for c in spaces | trim %}{{ c | upper }}{% endfor %}",
    "{% for i in missing %}x{% else %}empty{% endfor %}",
    "{{ nil | map('upper') | list }}{{ nil | selectattr('x') | list }}",
    "{% set m = users | selectattr('name', 'equalto', 'alice') | first %}{{ m.age }}",
    "{{ users | map(attribute='name') | join(', ') | replace('Bob', 'Rob') | indent(2) }}",
    "{{ html | e }}|{{ html | escape | upper }}|{{ html | safe }}",
    "{%if n%}tight{%endif%}{{n}}{{-n-}}{%-if n-%}x{%-endif-%}",
]

ERRORS = r"""
{{ missing.x }}
{{ missing + 1 }}
{{ missing() }}
{{ missing[0] }}
{{ d.nope.x }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 'a' + 1 }}
{{ 1 + 'a' }}
{{ 'a' < 1 }}
{{ none + 1 }}
{{ [] + {} }}
{{ 'a' * 'b' }}
{{ -'a' }}
{{ l.append(1) }}
{{ d.update({}) }}
{{ d.pop('a') }}
{{ s.__class__.x }}
{{ s.__class__() }}
{{ raise_exception('no') }}
{{ s | nofilter }}
{{ s is notest }}
{{ s() }}
{{ 5() }}
{{ s.upper(1) }}
{{ s.split('') }}
{{ s.index('zz') }}
{{ l.index(99) }}
{{ l[::0] }}
{{ {[]: 1} }}
{{ 1 in 5 }}
{{ 1 in 'a' }}
{{ none | length }}
{{ none | join }}
{{ 5 | list }}
{{ 5 | first }}
{{ range(1000000) }}
{{ range(0, 5, 0) }}
{{ range('a') }}
{{ missing | tojson }}
{{ range | tojson }}
{{ '%d' % 'x' }}
{{ '%s %s' % 'x' }}
{{ '%s' % ('x', 'y') }}
{{ '%q' % 1 }}
{{ '{} {}'.format(1) }}
{{ '{'.format(1) }}
{{ '{x}'.format(y=1) }}
{{ '{:d}'.format('x') }}
{{ ''.join([1]) }}
{{ [1, 'a'] | sort }}
{{ [1] | sum(start='a') }}
{{ ['a'] | sum }}
{{ 'a' | abs }}
{{ d['a']['b'].c }}
{{ namespace(_x=1) }}
{% set x.y = 1 %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [[1]] %}{% endfor %}
{% set a, b = [1, 2, 3] %}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(b=1) }}
{% macro m(a) %}{% endmacro %}{% call m(1) %}x{% endcall %}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}
{% for x in l %}{{ loop(l) }}{% endfor %}
{{ 1 +
{{ 1 + }}
{{ }}
{% if %}{% endif %}
{% if true %}
{% endif %}
{% for x in l %}
{% for in l %}{% endfor %}
{% else %}
{% nope %}
{% set x %}
{% set 1 = 2 %}
{% set true = 1 %}
{% macro %}{% endmacro %}
{% macro m(a=1, b) %}{% endmacro %}
{% break %}
{{ 'abc }}
{# abc
{{ (1 }}
{{ [1 }}
{{ {1: } }}
{{ a b }}
{{ 1 2 }}
{{ x | }}
{{ x is }}
{{ x. }}
{{ x[ }}
{{ f(a=1, 2) }}
{{ ? }}
{{ 'a' ! }}
{{ x)) }}
{% include 'x' %}
{% import 'x' as y %}
{% extends 'x' %}
{{ lipsum | nofilter }}
""".strip("\n").split("\n")


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2025, 7, 4, 15, 6, 9)


def row(source):
    try:
        return {"template": source, "text": utils._compile_jinja_template(source).render(**CONTEXT)}
    except Exception as error:
        return {"template": source, "error": type(error).__name__}


def main():
    utils.datetime = FixedClock
    expressions = [part for line in EXPRESSIONS for part in [line]]
    rows = [row("{{ [" + line + "] }}") for line in expressions]
    rows += [row("{{ " + line + " }}") for line in expressions]
    rows += [row(source) for source in TEMPLATES + ERRORS]
    output = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "Tests/Fixtures/jinja-cases.json")
    lines = ",\n".join(json.dumps(item, ensure_ascii=True) for item in rows)
    output.write_text('{"context": ' + json.dumps(CONTEXT) + ',\n"cases": [\n' + lines + "\n]}\n")
    print(len(rows), "rows,", sum("error" in item for item in rows), "of them errors")
    for item in rows:
        if "error" in item and item["template"] not in ERRORS:
            print(item)
    for source in ERRORS:
        if "text" in row(source):
            print("no error:", source, row(source))


if __name__ == "__main__":
    main()
