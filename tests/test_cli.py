import json

import pytest

from jupyter_graph.cli import main


@pytest.fixture
def document(tmp_path):
    """Write a graph document and give its path."""

    def write(**steps):
        path = tmp_path / "fraud.json"
        path.write_text(json.dumps({"steps": steps}))
        return str(path)

    return write


def test_a_right_document_is_checked_and_shown(document, capsys):
    path = document(parse={"kind": "task", "handler": "parse"})

    assert main(["check", path]) == 0
    assert "nothing to mend" in capsys.readouterr().out
    assert main(["show", path]) == 0
    assert "parse" in capsys.readouterr().out


def test_a_wrong_document_fails_with_what_is_wrong(document, capsys):
    path = document(parse={"kind": "task", "handler": "parse", "after": ["gone"]})

    assert main(["check", path]) == 1
    assert "'gone', which does not exist" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["check", "nope.json"], ["show", "nope.json"]])
def test_a_missing_file_fails(words, capsys):
    assert main(words) == 1
    assert "SpecError: cannot read graph file 'nope.json'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["chekc", "a.json"], ["check"], ["serve"]])
def test_wrong_usage_is_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)

    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_folder_that_is_no_bundle_is_not_served(tmp_path, capsys):
    assert main(["serve", str(tmp_path)]) == 1
    assert "is no bundle" in json.loads(capsys.readouterr().err)["error"]
