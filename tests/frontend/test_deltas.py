"""What a graph may give for a model's words."""

import pytest

from jupyter_graph.errors import AnswerError
from jupyter_graph.frontend.openai.deltas import deltas_of, gather, is_message

CALL = {"id": "c1", "function": {"name": "f", "arguments": '{"a"'}}
REST = {"index": 0, "function": {"arguments": ": 1}"}}


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        pytest.param("", True, id="text"),
        pytest.param({"content": None, "refusal": "no"}, True, id="refusal"),
        pytest.param({"tool_calls": [CALL], "usage": {}}, True, id="calls"),
        pytest.param({"answer": "x", "data": {}, "usage": {}}, True, id="llm-block"),
        pytest.param({"content": "x", "score": 1}, False, id="something-else"),
        pytest.param({"usage": {}}, False, id="says-nothing"),
        pytest.param(7, False, id="number"),
    ],
)
def test_a_message_says_something_and_nothing_else(value, is_one):
    assert is_message(value) is is_one


@pytest.mark.parametrize(
    ("items", "message", "ends"),
    [
        pytest.param(["a", "b"], {"content": "ab"}, "stop", id="texts"),
        pytest.param(
            [{"answer": "{}", "data": {}, "finish_reason": "stop"}],
            {"content": "{}"},
            "stop",
            id="llm-block",
        ),
        pytest.param(
            [{"content": "a"}, {"finish_reason": "length"}],
            {"content": "a"},
            "length",
            id="finish",
        ),
        pytest.param(
            [{"tool_calls": [CALL]}, {"tool_calls": [REST]}],
            {
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a": 1}'},
                    }
                ],
            },
            "tool_calls",
            id="tool-calls",
        ),
        pytest.param(
            [{"refusal": "n"}, {"refusal": "o"}],
            {"content": None, "refusal": "no"},
            "stop",
            id="refusal",
        ),
        pytest.param(
            [{"choices": [{"delta": {"role": "assistant", "content": "a"}}]}, "b"],
            {"content": "ab"},
            "stop",
            id="chunks",
        ),
        pytest.param(
            [{"content": [{"type": "text", "text": "a"}]}],
            {"content": [{"type": "text", "text": "a"}]},
            "stop",
            id="parts",
        ),
    ],
)
def test_pieces_make_a_message(items, message, ends):
    [one] = gather(iter(items))[0].values()

    assert one.message() == {"role": "assistant", "refusal": None, **message}
    assert one.ends == ends


def test_what_is_said_beside_the_message_is_kept():
    usage = {"prompt_tokens": 1}

    _, about = gather(iter(["a", {"usage": usage, "model": "m2"}]))

    assert about == {"usage": usage, "model": "m2"}


@pytest.mark.parametrize("item", [7, None, {}, {"body": 1}, {"choices": ["x"]}])
def test_an_item_that_says_nothing_is_refused(item):
    with pytest.raises(AnswerError):
        deltas_of(item)
