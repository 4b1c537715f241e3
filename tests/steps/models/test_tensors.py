"""Tensors of requests and answers: types, shapes, values."""

import math
import struct

import numpy as np
import pytest

from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps.models.tensors import DATATYPES, Tensor, tensor_of

CASES = [
    pytest.param("BOOL", [True, False], id="BOOL"),
    pytest.param("INT8", [-128, 127], id="INT8"),
    pytest.param("INT16", [-32768, 32767], id="INT16"),
    pytest.param("INT32", [-(2**31), 2**31 - 1], id="INT32"),
    pytest.param("INT64", [-(2**63), 2**63 - 1], id="INT64"),
    pytest.param("UINT8", [0, 255], id="UINT8"),
    pytest.param("UINT16", [0, 65535], id="UINT16"),
    pytest.param("UINT32", [0, 2**32 - 1], id="UINT32"),
    pytest.param("UINT64", [0, 2**64 - 1], id="UINT64"),
    pytest.param("FP16", [0.5, -2.0], id="FP16"),
    pytest.param("FP32", [0.5, 1], id="FP32"),
    pytest.param("FP64", [0.1, 1e300], id="FP64"),
    pytest.param("BYTES", ["a", "ß"], id="BYTES"),
]


@pytest.mark.parametrize(("datatype", "values"), CASES)
def test_each_type_is_read_as_it_came(datatype, values):
    tensor = Tensor("x", datatype, (2,), values)

    assert tensor.rows() == values
    assert tensor.array().dtype == np.dtype(DATATYPES[datatype])
    assert tensor.array().tolist() == values


@pytest.mark.parametrize(("datatype", "values"), CASES[:-1])
def test_binary_values_are_the_numbers_themselves(datatype, values):
    raw = np.array(values, DATATYPES[datatype]).tobytes()
    tensor = Tensor("x", datatype, (2,), raw)

    assert tensor.rows() == values
    assert tensor.array().tolist() == values


def test_binary_texts_have_their_length_before():
    texts = [b"a", "ß".encode(), b"\xff", b""]
    raw = b"".join(struct.pack("<I", len(text)) + text for text in texts)

    assert Tensor("x", "BYTES", (4,), raw).rows() == ["a", "ß", b"\xff", ""]


@pytest.mark.parametrize(
    ("shape", "data", "rows"),
    [
        pytest.param((2, 3), [1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]], id="flat"),
        pytest.param((2, 2), [[1, 2], [3, 4]], [[1, 2], [3, 4]], id="nested"),
        pytest.param((1, 2, 2), [1, 2, 3, 4], [[[1, 2], [3, 4]]], id="deep"),
        pytest.param((2, 2), [[[1], [2]], [[3], [4]]], [[1, 2], [3, 4]], id="reshaped"),
        pytest.param((0, 3), [], [], id="empty"),
        pytest.param((), [7], [7], id="scalar"),
    ],
)
def test_values_come_row_by_row(shape, data, rows):
    assert Tensor("x", "INT64", shape, data).rows() == rows


def test_null_is_no_number():
    rows = Tensor("x", "FP32", (2,), [1, None]).rows()

    assert rows[0] == 1.0
    assert math.isnan(rows[1])
    assert math.isnan(Tensor("x", "FP32", (1,), [None]).array()[0])


@pytest.mark.parametrize("give", [Tensor.rows, Tensor.array], ids=["rows", "array"])
@pytest.mark.parametrize(
    ("datatype", "shape", "data", "message"),
    [
        ("INT8", (1,), [128], r"input 'x' is INT8 \(-128 to 127\), got 128"),
        ("UINT8", (1,), [-1], r"input 'x' is UINT8 \(0 to 255\), got -1"),
        ("INT32", (1,), [1.5], "input 'x' is INT32, got the value 1.5"),
        ("INT32", (1,), [True], "input 'x' is INT32, got the value True"),
        ("BOOL", (1,), [1], "input 'x' is BOOL, got the value 1"),
        ("FP32", (1,), ["a"], "input 'x' is FP32, got the value 'a'"),
        ("FP64", (1,), [10**400], "an integer is too large"),
        ("BYTES", (1,), [7], "input 'x' is BYTES, got the value 7"),
        ("FP32", (2, 2), [1, 2, 3], r"3 values, but its shape \[2, 2\] takes 4"),
        ("FP32", (10**12,), [1], "1 values, but its shape"),
        ("FP32", (1,), 5, "'data' must be a list of values, got int"),
        ("FP32", (2,), [1, [2]], "'data' mixes values and lists"),
        ("FP32", (2,), b"1234", r"FP32 \[2\] needs 8 bytes, got 4"),
        ("BYTES", (1,), b"\x09\0\0\0abc", "binary data of input 'x' ends too early"),
        ("BYTES", (1,), b"\x01\0", "binary data of input 'x' ends too early"),
    ],
)
def test_values_that_do_not_fit_are_refused(datatype, shape, data, message, give):
    with pytest.raises(BadRequestError, match=message):
        give(Tensor("x", datatype, shape, data))


@pytest.mark.parametrize(
    ("value", "datatype", "shape", "data"),
    [
        pytest.param([1, 2], "INT64", (2,), [1, 2], id="ints"),
        pytest.param([1, 2.5], "FP64", (2,), [1, 2.5], id="floats"),
        pytest.param([None, 2.5], "FP64", (2,), [None, 2.5], id="missing"),
        pytest.param([True], "BOOL", (1,), [True], id="truth"),
        pytest.param(["a", "b"], "BYTES", (2,), ["a", "b"], id="texts"),
        pytest.param([[1], [2]], "INT64", (2, 1), [1, 2], id="nested"),
        pytest.param([], "FP64", (0,), [], id="nothing"),
        pytest.param([[], []], "FP64", (2, 0), [], id="empty-rows"),
        pytest.param(3, "INT64", (1,), [3], id="one-value"),
        pytest.param([[1], [2, 3]], "BYTES", (2,), ["[1]", "[2, 3]"], id="ragged"),
        pytest.param([{"a": 1}], "BYTES", (1,), ['{"a": 1}'], id="mapping"),
        pytest.param([2**64], "BYTES", (1,), ["18446744073709551616"], id="huge"),
        pytest.param([2**64 - 1], "UINT64", (1,), [2**64 - 1], id="unsigned"),
        pytest.param([-1, 2**63], "BYTES", (2,), ["-1", str(2**63)], id="too-wide"),
        pytest.param([True, 2], "BYTES", (2,), ["true", "2"], id="mixed"),
    ],
)
def test_a_result_has_the_type_and_shape_of_its_values(value, datatype, shape, data):
    tensor = tensor_of("y", value)

    assert (tensor.datatype, tensor.shape, tensor.data) == (datatype, shape, data)


@pytest.mark.parametrize(
    ("value", "datatype", "shape", "data"),
    [
        pytest.param(np.ones((2, 1), "float32"), "FP32", (2, 1), [1, 1], id="array"),
        pytest.param(np.int16(3), "INT16", (1,), [3], id="scalar"),
        pytest.param([np.float64(0.5)], "FP64", (1,), [0.5], id="list-of-scalars"),
        pytest.param(np.array(["a", "bc"]), "BYTES", (2,), ["a", "bc"], id="texts"),
        pytest.param(np.array([{"a": 1}]), "BYTES", (1,), ['{"a": 1}'], id="objects"),
    ],
)
def test_an_array_keeps_its_type(value, datatype, shape, data):
    tensor = tensor_of("y", value)

    assert (tensor.datatype, tensor.shape) == (datatype, shape)
    assert list(np.ravel(tensor.data)) == data


@pytest.mark.parametrize(
    ("value", "wanted", "data"),
    [
        pytest.param([1, 2], "FP32", [1.0, 2.0], id="list"),
        pytest.param(np.array([1, 2]), "FP32", [1.0, 2.0], id="array"),
        pytest.param([1, 2], "BYTES", ["1", "2"], id="texts"),
        pytest.param(np.array([1, 2]), "BYTES", ["1", "2"], id="array-as-texts"),
    ],
)
def test_a_result_may_have_to_have_a_type(value, wanted, data):
    tensor = tensor_of("y", value, wanted)

    assert (tensor.datatype, list(tensor.data)) == (wanted, data)
