import argparse
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_graph.errors import MagicError
from jupyter_graph.magics.argument_parser import RAW, read_options, split_line, words
from jupyter_graph.magics.notebook_expressions import evaluate, pair, read_value
from jupyter_graph.magics.step_magic import StepMagics

HEADER = Path(__file__).parents[2] / "labextension" / "src" / "header.ts"


@pytest.mark.parametrize(
    ("line", "head", "options"),
    [
        pytest.param("", "", (), id="nothing"),
        pytest.param("parse", "parse", (), id="a-word"),
        pytest.param("a --x 1 --y", "a", (("--x", "1"), ("--y", "")), id="two-options"),
        pytest.param('{"a": " --x"}', '{"a": " --x"}', (), id="in-quotes"),
        pytest.param("f(1, --x)", "f(1, --x)", (), id="in-brackets"),
        pytest.param("it's --x 1", "it's", (("--x", "1"),), id="apostrophe"),
        pytest.param("--x=1 2", "", (("--x", "1 2"),), id="equals-sign"),
        pytest.param(r'"a\" --x" --y', r'"a\" --x"', (("--y", ""),), id="escaped"),
        pytest.param("a-b --x", "a-b", (("--x", ""),), id="dash-in-a-word"),
        pytest.param("1 --2", "1 --2", (), id="no-option-begins-with-a-digit"),
        pytest.param(
            '"""a \' --x""" --y', '"""a \' --x"""', (("--y", ""),), id="triple"
        ),
    ],
)
def test_options_begin_outside_of_quotes_and_brackets(line, head, options):
    cut = split_line(line)

    assert (cut.head, cut.options) == (head, options)


def test_quotes_keep_blanks_in_a_word():
    assert words("a 'b c' \"d e\" f") == ["a", "b c", "d e", "f"]


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--after")
    parser.add_argument("--arg", action="append")
    parser.add_argument("--respond", action="store_true")
    return parser


def test_words_after_a_flag_or_a_value_belong_to_no_option(parser):
    values, loose, _ = read_options(parser, "--respond a --after b c", magic="%m")

    assert (values.respond, values.after, loose) == (True, "b", ["a", "c"])


def test_a_raw_option_takes_everything_up_to_the_next_one(parser):
    values, loose, _ = read_options(parser, '--arg a={"b": 1} c --respond', magic="%m")

    assert (values.arg, values.respond, loose) == (['a={"b": 1} c'], True, [])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("--aftr a", "'--aftr'; did you mean '--after'?", id="unknown"),
        pytest.param("--aft a", "no option '--aft'", id="abbreviated"),
        pytest.param("--after", "--after needs a value: --after AFTER", id="at-end"),
        pytest.param("--after --respond", "--after needs a value", id="no-value"),
    ],
)
def test_wrong_options_are_told_with_what_would_be_right(parser, line, said):
    with pytest.raises(MagicError, match=r"^%m") as caught:
        read_options(parser, line, magic="%m")

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"a": [1, null, true]}', {"a": [1, None, True]}, id="json"),
        pytest.param("{'a': x + 1}", {"a": 8}, id="expression"),
        pytest.param("x", 7, id="variable"),
        pytest.param("$x", 7, id="variable-with-a-dollar"),
        pytest.param("[i * x for i in range(2)]", [0, 7], id="comprehension"),
        pytest.param('"text"', "text", id="text"),
    ],
)
def test_an_expression_is_json_a_variable_or_python(text, value):
    assert evaluate(text, {"x": 7}) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "EXPR is missing", id="nothing"),
        pytest.param("{'a': 1", "was never closed", id="half-a-bracket"),
        pytest.param("roows", "did you mean 'rows'?", id="unknown-name"),
        pytest.param("$roows", "did you mean 'rows'?", id="unknown-variable"),
        pytest.param("{'a': true}", "true is True", id="json-word-in-python"),
        pytest.param("rows[9]", "IndexError", id="raises"),
        pytest.param("import os", "invalid syntax", id="statement"),
        pytest.param("[" * 99_999, "neither as JSON nor as Python", id="deep"),
        pytest.param("\0", "neither as JSON nor as Python", id="null-byte"),
    ],
)
def test_a_wrong_expression_is_told_with_its_text(text, said):
    with pytest.raises(MagicError) as caught:
        evaluate(text, {"rows": [1]})

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("1.5", 1.5, id="number"),
        pytest.param("[1, 2]", [1, 2], id="list"),
        pytest.param("two words", "two words", id="text"),
        pytest.param("'quoted'", "quoted", id="quoted"),
        pytest.param("True", True, id="python-word"),
        pytest.param("05", "05", id="not-a-json-number"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_value_is_json_when_it_parses_else_text(text, value):
    assert read_value(text) == value


def test_a_pair_without_equals_sign_is_told():
    with pytest.raises(MagicError, match="--arg takes K=V, got 'x'"):
        pair("x", what="--arg", form="K=V")


def signs(text):
    return [sign for sign in text if sign != "=" and not sign.isspace()]


@given(st.text(alphabet="ab-= \"'([{)]}\\\n", max_size=40))
def test_no_sign_is_lost_when_a_line_is_cut(text):
    cut = split_line(text)
    parts = [cut.head, *(part for option in cut.options for part in option)]

    assert signs("".join(parts)) == signs(text)


@pytest.mark.parametrize(
    ("name", "belongs"),
    [
        pytest.param("FLAGS", lambda action: action.nargs == 0, id="flags"),
        pytest.param(
            "EXPRESSIONS",
            lambda action: action.option_strings[0] in RAW,
            id="expressions",
        ),
    ],
)
def test_jupyterlab_reads_the_header_of_a_cell_as_the_magic_does(name, belongs):
    listed = re.search(rf"const {name}: .*?\[(.*?)\]", HEADER.read_text(), re.DOTALL)
    actions = [a for a in StepMagics.graph_step.parser._actions if a.option_strings]

    found = re.findall("'(--[^']+)'", listed[1])
    assert sorted(found) == sorted(a.option_strings[0] for a in actions if belongs(a))
