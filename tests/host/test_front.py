"""A front before a served graph: an API handler, and OpenAI's endpoints."""

import pytest
import requests

openai = pytest.importorskip("openai")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

CHAT = """
def chat(body, messages=None, **more):
    for word in f"you said {messages[-1]['content']}".split():
        yield f"{word} "
"""
USERS = """
def users(body, id=None, full=None, **more):
    return {"id": id, "full": full}
"""
ENDPOINTS = {
    "endpoints": {"GET:/users/{id}": {"path": "/users/{id}", "http_method": "GET"}},
    "enabled": True,
}


@pytest.fixture(scope="module")
def chat_url(module_host):
    return module_host(CHAT, handler="chat", config={"openai_frontend": True}).url


@pytest.fixture
def client(chat_url):
    with openai.OpenAI(base_url=chat_url, api_key="none", max_retries=0) as client:
        yield client


MESSAGES = [{"role": "user", "content": "hi there"}]


def test_openais_client_asks_a_served_graph(client):
    answer = client.chat.completions.create(model="m", messages=MESSAGES)

    assert answer.choices[0].message.content == "you said hi there "
    assert answer.object == "chat.completion"


def test_openais_client_gets_the_words_one_by_one(client):
    stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)

    words = [chunk.choices[0].delta.content for chunk in stream if chunk.choices]
    assert [word for word in words if word] == ["you ", "said ", "hi ", "there "]


def test_another_path_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="endpoint not found"):
        client.embeddings.create(model="m", input="x")


def test_an_api_handler_gives_a_served_graph_its_endpoints(module_host):
    host = module_host(USERS, handler="users", config={"api_handler": ENDPOINTS})

    found = requests.get(f"{host.url}/users/7?full=yes", timeout=10)
    wrong = requests.post(f"{host.url}/users/7", json={}, timeout=10)
    assert (found.json(), wrong.status_code) == ({"id": "7", "full": "yes"}, 405)
