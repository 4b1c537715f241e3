"""Prompt templates, counted tokens, and the events of a stream."""

import asyncio

import pytest

from jupyter_graph.errors import SpecError, StatusError, UnprocessableError
from jupyter_graph.http_client.server_events import LONGEST, data_of
from jupyter_graph.steps.llm.chat_base import Usage
from jupyter_graph.steps.llm.prompts import check_template, render_prompt


@pytest.mark.parametrize(
    ("template", "body", "text"),
    [
        pytest.param("{{a}}", {"a": "x"}, "x", id="text"),
        pytest.param("{{ a }}", {"a": 5}, "5", id="number-and-blanks"),
        pytest.param("{{a.b.c}}", {"a": {"b": {"c": "x"}}}, "x", id="deep"),
        pytest.param("{{a.1}}", {"a": ["x", "y"]}, "y", id="of-a-list"),
        pytest.param("{{a}}", {"a": {"k": "ü"}}, '{"k": "ü"}', id="object"),
        pytest.param("{{a}}", {"a": None}, "null", id="null"),
        pytest.param("{{a}}", {"a": True}, "true", id="bool"),
        pytest.param("{{.}}", "whole", "whole", id="whole-body"),
        pytest.param("{{user-id}}", {"user-id": 1}, "1", id="dash"),
        pytest.param("no field", None, "no field", id="none"),
        pytest.param('{"a": {"b": 1}}', {}, '{"a": {"b": 1}}', id="json-in-a-prompt"),
        pytest.param("{{a}}{{b}}", {"a": "{{b}}", "b": "x"}, "{{b}}x", id="once"),
    ],
)
def test_fields_of_the_body_are_filled_in(template, body, text):
    check_template(template)

    assert render_prompt(template, body) == text


def test_messages_are_filled_in_wherever_they_hold_text():
    template = [
        {"role": "system", "content": "Be {{tone}}."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "{{q}}"},
                {"type": "image_url", "image_url": {"url": "{{image}}", "n": 1}},
            ],
        },
    ]
    check_template(template)

    found = render_prompt(
        template, {"tone": "brief", "q": "what?", "image": "http://x"}
    )

    assert found[0]["content"] == "Be brief."
    assert found[1]["content"][0]["text"] == "what?"
    assert found[1]["content"][1]["image_url"] == {"url": "http://x", "n": 1}
    assert template[0]["content"] == "Be {{tone}}."


def test_a_legend_says_where_fields_are():
    found = render_prompt(
        "{{where}}", {"trip": {"city": "Rome"}}, legend={"where": "trip.city"}
    )

    assert found == "Rome"


@pytest.mark.parametrize(
    ("template", "body", "message"),
    [
        ("{{city}}", {"cty": 1}, "field 'city'; did you mean 'cty'"),
        ("{{a.b}}", {"a": {}}, "field 'a.b'"),
        ("{{a.2}}", {"a": [1]}, "field 'a.2'"),
        ("{{a}}", "text", "the body is a str"),
        ("{{a}}", {}, "the body has no field"),
        ("{{__class__}}", {}, "field '__class__'"),
    ],
)
def test_a_missing_field_is_named(template, body, message):
    with pytest.raises(UnprocessableError, match=message):
        render_prompt(template, body)


def test_a_missing_field_may_stay():
    assert render_prompt("{{a}} {{b}}", {"a": 1}, missing="keep") == "1 {{b}}"


@pytest.mark.parametrize("template", ["{{}}", "{{a b}}", "{{a..b}}", "{{a[0]}}"])
def test_braces_hold_the_path_of_a_field(template):
    with pytest.raises(SpecError, match="is no field"):
        check_template(template)


def test_only_counts_are_added():
    usage = Usage()

    usage.add({"prompt_tokens": 3, "total_tokens": "many", "other": 5})
    usage.add(None)

    assert usage.totals() == {
        "requests": 2,
        "prompt_tokens": 3,
        "completion_tokens": 0,
        "total_tokens": 0,
    }


def data_in(*chunks):
    async def source():
        for chunk in chunks:
            yield chunk

    async def collect():
        return [data async for data in data_of(source())]

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("chunks", "data"),
    [
        pytest.param([b"data: a\n\ndata: b\n\n"], ["a", "b"], id="two"),
        pytest.param([b"da", b"ta: a\n", b"\n"], ["a"], id="cut"),
        pytest.param([b"data: a\r\n\r\n"], ["a"], id="crlf"),
        pytest.param([b"data: a\r", b"\n\r", b"\n"], ["a"], id="crlf-cut"),
        pytest.param([b"data: a\r\rdata: b\r\r", b"\n"], ["a", "b"], id="cr"),
        pytest.param([b"data: a\ndata: b\n\n"], ["a\nb"], id="two-lines"),
        pytest.param([b": note\nid: 1\nevent: x\ndata:a\n\n"], ["a"], id="other-lines"),
        pytest.param([b"\n\n\ndata: a"], [], id="broken-off"),
        pytest.param(
            ["data: ü\n\n".encode()[:7], "ü".encode()[1:] + b"\n\n"], ["ü"], id="utf-8"
        ),
    ],
)
def test_events_are_found_however_they_are_cut(chunks, data):
    assert data_in(*chunks) == data


def test_an_event_without_an_end_is_not_kept_for_ever():
    with pytest.raises(StatusError, match="an event has over"):
        data_in(b"data: " + b"x" * LONGEST)
