import re

import pytest

from jupyter_graph.picture.forms.mermaid import mermaid


def test_a_router_is_a_subgraph(graph):
    drawn = mermaid(graph("router"))

    assert 'subgraph n2c [" "]' in drawn
    assert "n2 --> n3" in drawn


def test_the_way_to_an_error_handler_is_dotted(graph):
    assert mermaid(graph("errors")).count("-.->|error|") == 3


def test_names_cannot_leave_their_label(any_graph):
    label = re.compile(r'\s+n\d+[\[({]+"[^"<>\n]*(<(b|/b|br/)>[^"<>\n]*)*"[\])}]+')
    boxes = [line for line in mermaid(any_graph).splitlines() if '["' in line]

    assert all(
        label.fullmatch(line) for line in boxes if not line.lstrip().startswith("sub")
    )


@pytest.mark.parametrize("sign", list('"#<>&`;|{}[]()\\'))
def test_signs_with_a_meaning_are_written_as_codes(sign):
    from jupyter_graph.picture.forms.mermaid import escaped

    assert escaped(f"a{sign}b") == f"a#{ord(sign)};b"
