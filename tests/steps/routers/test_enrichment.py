"""Enrichment routers: features in place of the ids of entities."""

import math

import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import BadRequestError, NotFoundError, SpecError
from jupyter_graph.event import Event
from jupyter_graph.steps.routers.enrichment import (
    EnrichmentModelRouter,
    EnrichmentVotingEnsemble,
)
from jupyter_graph.steps.routers.feature_vectors import FeatureVectors

ROWS = {
    "ann": {"age": 30, "pay": 2.0},
    "bob": {"age": None, "pay": 4.0},
    "cid": {"age": 50, "pay": math.nan},
}


def echo(event):
    event.body = {"outputs": event.body["inputs"]}
    return event


def asked(inputs, **args):
    router = EnrichmentModelRouter(routes={"m": echo}, **{"table": ROWS, **args})
    try:
        return router.do_event(Event({"inputs": inputs})).body["outputs"]
    finally:
        router.close()


@pytest.mark.parametrize(
    "entity",
    [
        pytest.param(["ann"], id="key-values"),
        pytest.param({"user": "ann"}, id="an-object"),
        pytest.param("ann", id="a-single-value"),
    ],
)
def test_entities_become_features(entity):
    assert asked([entity]) == [[30, 2.0]]


def test_features_have_the_order_that_was_asked_for():
    assert asked([["ann"]], features=["pay", "age", "gone"]) == [[2.0, 30, None]]


@pytest.mark.parametrize(
    ("policy", "vectors"),
    [
        pytest.param({"*": 0}, [[0, 4.0], [50, 0]], id="a-constant"),
        pytest.param({"*": "$mean"}, [[40, 4.0], [50, 3.0]], id="means"),
        pytest.param({"*": "$max", "age": 33}, [[33, 4.0], [50, 4.0]], id="by-name"),
        pytest.param({"age": "$min"}, [[30, 4.0], [50, math.nan]], id="one-alone"),
        pytest.param({"*": "$count"}, [[2, 4.0], [50, 2]], id="counts"),
        pytest.param(
            {"age": "$std", "pay": 1},
            [[pytest.approx(14.142, abs=1e-3), 4.0], [50, 1]],
            id="deviation-of-a-sample",
        ),
    ],
)
def test_missing_values_are_imputed(policy, vectors):
    found = asked([["bob"], ["cid"]], impute_policy=policy)

    assert found == [pytest.approx(vector, nan_ok=True) for vector in vectors]


def test_statistics_may_be_given():
    found = asked([["bob"]], impute_policy={"age": "$mean"}, stats={"age": {"mean": 7}})

    assert found == [[7, 4.0]]


@pytest.mark.parametrize(
    ("unknown", "vectors"), [("null", [None]), ("impute", [[1, 1]])]
)
def test_an_unknown_entity_may_be_taken(unknown, vectors):
    found = asked([["zoe"]], unknown_entity=unknown, impute_policy={"*": 1})

    assert found == vectors


def test_an_unknown_entity_is_an_error():
    with pytest.raises(NotFoundError, match=r"no features of the entity \['zoe'\]"):
        asked([["zoe"]])


def test_several_fields_make_a_key_together():
    rows = {'["at", 1]': {"v": 5}}

    entities = [["at", 1], {"n": 1, "country": "at"}]
    found = asked(entities, table=rows, keys=["country", "n"])
    assert found == [[5], [5]]


@pytest.mark.parametrize(
    ("inputs", "args", "message"),
    [
        pytest.param({"a": 1}, {}, "inputs must be a list of entities", id="no-list"),
        pytest.param([[]], {}, "must have 1 key values", id="no-key"),
        pytest.param([["a", "b"]], {"keys": "u"}, "must have 1 key values", id="two"),
        pytest.param([{"x": 1}], {"keys": "u"}, "must have the fields u", id="field"),
    ],
)
def test_wrong_entities_are_the_callers_fault(inputs, args, message):
    with pytest.raises(BadRequestError, match=message):
        asked(inputs, **args)


def test_rows_and_frames_are_tables():
    pandas = pytest.importorskip("pandas")
    rows = [{"user": "ann", "age": 30}, {"user": "bob", "age": 40}]

    frame = pandas.DataFrame(rows)
    assert asked([["bob"]], table=rows, keys="user") == [[40]]
    assert asked([["bob"]], table=frame, keys="user") == [[40]]
    assert asked([["bob"]], table=frame.set_index("user")) == [[40]]


def test_a_url_names_a_table(tmp_path):
    url = f"store://{tmp_path / 'features.db'}"
    table = open_table(url)
    table.put("ann", {"age": 30, "pay": None})
    table.close()

    found = asked([["ann"]], table=url, features=["age", "pay"], impute_policy={"*": 9})
    assert found == [[30, 9]]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"table": None}, "give table=..., which holds the features by entity"),
        (
            {"table": None, "feature_vector_uri": "store://fv"},
            "feature_vector_uri='store://fv' needs MLRun's feature store",
        ),
        ({"impute_policy": {"agee": 1}}, "feature agee in impute_policy but not in"),
        ({"impute_policy": {"age": "$mode"}}, r"has '\$mode', it knows \$mean"),
        ({"features": "age"}, "features must be a list of names, got 'age'"),
        ({"table": "memory"}, "features must name the features"),
        ({"unknown_entity": "skip"}, "unknown_entity must be 'error', 'null'"),
        (
            {
                "table": "memory",
                "features": ["age"],
                "impute_policy": {"age": "$mean"},
            },
            "give stats=",
        ),
        (
            {"impute_policy": {"age": "$mean"}, "stats": {}},
            "stats has no 'mean' of 'age'",
        ),
        ({"tabel": {}}, "takes no 'tabel'; did you mean 'table'?"),
        ({"features": 5}, "features must be a list of names, got 5"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        asked([["ann"]], **args)


def test_a_statistic_of_texts_is_refused():
    with pytest.raises(SpecError, match="the mean of 'v' cannot be made"):
        FeatureVectors({"a": {"v": "text"}}, impute_policy={"v": "$mean"})


def test_questions_about_the_router_need_no_entities():
    router = EnrichmentModelRouter(routes={"m": echo}, table=ROWS)

    assert router.do_event(Event(None, path="/v2/models", method="GET")).body == {
        "models": ["m"]
    }
    assert router.do_event(Event(method="GET")).body["name"] == "EnrichmentModelRouter"


def test_the_body_of_the_caller_stays_as_it_is():
    router = EnrichmentModelRouter(routes={"m": echo}, table=ROWS)
    body = {"inputs": [["ann"]]}
    router.do_event(Event(body))

    assert body == {"inputs": [["ann"]]}
    assert router.do_event(Event(b'{"inputs": [["ann"]]}')).body == {
        "outputs": [[30, 2.0]]
    }


def test_an_ensemble_votes_on_features():
    def total(event):
        event.body = {"outputs": [sum(row) for row in event.body["inputs"]]}
        return event

    router = EnrichmentVotingEnsemble(
        routes={"a": total, "b": total},
        table=ROWS,
        impute_policy={"*": 0},
        vote_type="regression",
    )

    answer = router.do_event(Event({"inputs": [["ann"], ["bob"]]})).body
    router.close()
    assert answer["outputs"] == [32.0, 4.0]


def test_a_graph_enriches(ask):
    graph = Graph(
        "enriched",
        topology="router",
        router_class=EnrichmentModelRouter,
        router_args={"table": ROWS, "impute_policy": {"*": 1}},
    )
    graph.add_route("m", handler=lambda body: {"rows": body["inputs"]})

    assert ask(graph, {"inputs": [["bob"]]}).body == {"rows": [[1, 4.0]]}
    assert ask(graph, {"inputs": [["zoe"]]}).status_code == 404


def test_an_integer_too_large_for_a_float_is_a_feature_as_others():
    table = FeatureVectors({"ann": {"x": 10**400}})

    assert table.of([["ann"]]) == [[10**400]]
