from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_graph.picture.layout.block import Block
from jupyter_graph.picture.layout.heights import apart
from jupyter_graph.picture.layout.layered import arrange
from jupyter_graph.picture.layout.ordering import crossings, ordered
from jupyter_graph.picture.layout.ranks import ranks
from jupyter_graph.spec.topology import Edge

pairs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30)
numbers = st.floats(-1e3, 1e3)
quiet = settings(max_examples=60, deadline=None)


@given(pairs)
@quiet
def test_every_line_of_a_graph_without_cycles_leads_to_a_higher_rank(lines):
    forward = [(a, b) for a, b in lines if a < b]
    found = ranks(12, forward)

    assert all(found[a] < found[b] for a, b in forward)


@given(pairs)
@quiet
def test_a_graph_with_cycles_is_ranked_too(lines):
    found = ranks(12, lines)

    assert len(found) == 12
    assert min(found) == 0
    assert all(found[a] != found[b] for a, b in lines if a != b)


@given(st.lists(st.tuples(numbers, st.floats(0.01, 9), st.floats(1, 50)), min_size=1))
@quiet
def test_places_keep_their_order_and_distance(wishes):
    where, weights, sizes = (list(column) for column in zip(*wishes, strict=True))
    found = apart(where, weights, sizes)

    assert all(
        found[i + 1] - found[i] >= (sizes[i] + sizes[i + 1]) / 2 - 1e-6
        for i in range(len(found) - 1)
    )


@given(pairs)
@quiet
def test_any_graph_can_be_arranged(lines):
    blocks = {f"b{n}": Block(f"b{n}", 100, 40) for n in range(12)}
    links = list({Edge(f"b{a}", f"b{b}", "flow"): 1 for a, b in lines if a != b})
    plan = arrange(blocks, links, 60)

    assert set(plan.centres) == set(blocks)
    assert set(plan.ways) == set(links)


def test_two_crossing_lines_are_untangled():
    hops = [(0, 3), (1, 2)]
    columns = ordered([0, 0, 1, 1], [False] * 4, hops)

    after = [[3], [2], [], []]
    assert crossings([[0, 1], [2, 3]], after) == 1
    assert crossings(columns, after) == 0


def test_low_nodes_stand_last_in_their_column():
    columns = ordered([0, 1, 1, 1], [False, True, False, False], [(0, 1), (0, 2)])

    assert columns[1][-1] == 1
