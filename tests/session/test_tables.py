from jupyter_graph.session.shown_table import Table

COLUMNS = {"n": lambda n: n, "text": lambda n: f"<{n}>\n" + "x" * 100}


def test_a_table_is_a_list():
    assert Table([1, 2], COLUMNS) == [1, 2]


def test_long_and_broken_texts_are_cut_to_one_line():
    shown = repr(Table([1], COLUMNS)).splitlines()

    assert len(shown) == 2
    assert shown[1].endswith("…")


def test_a_table_is_escaped():
    assert "&lt;1&gt;" in Table([1], COLUMNS)._repr_html_()


def test_an_empty_table_says_so():
    table = Table([], COLUMNS, empty="no events <yet>")

    assert repr(table) == "no events <yet>"
    assert table._repr_html_() == "<p>no events &lt;yet&gt;</p>"
