"""Ask the real MLRun what its feature steps give; prints ``features.json``.

Run with a Python that has mlrun 1.12: ``python observe_features.py > features.json``.
Values that JSON has no word for are tagged: ``{"$nan": 1}``, ``{"$repr": text}`` and,
for objects with keys that are no text, ``{"$items": [[key, value], ...]}``.
"""

import copy
import json
import math
import sys
import warnings

NAN, INF = float("nan"), float("inf")

AGES = {"ranges": {"child": [0, 18], "adult": [18, "inf"]}}
SIGNS = {"ranges": {"below": ["-inf", 0], "above": [0, "inf"]}}
DAYS = ["mon", "tue", "wed day", "thu-x"]
DATES = [
    "2024-03-01T12:30:15",
    "2024-02-29",
    "2023-12-31 23:59:59.123456",
    "2024-03-01T12:30:00+02:00",
    "March 5, 2021 4pm",
    "01/02/2024",
    "20240301",
    "",
    "no date",
    None,
    NAN,
    0,
    1700000000000000000,
    -1,
    1.5,
    10**30,
    True,
    [1],
    {"a": 1},
]
PARTS = [
    "year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond",
    "day_of_week", "dayofweek", "day_of_year", "dayofyear", "week", "weekofyear",
    "quarter", "days_in_month", "daysinmonth", "is_leap_year", "is_month_end",
    "is_month_start", "is_quarter_end", "is_quarter_start", "is_year_end",
    "is_year_start", "tz",
]

CASES = [
    # block, arguments, records
    ("MapValues", {"mapping": {"age": AGES}}, [
        {"age": age} for age in (0, 17, 17.99, 18, 70, -1, -0.5, True, NAN, INF, None, "7", [1])
    ] + [{"age": 12, "z": 1}, {"z": 1}, {}, [1], "text", None, 5]),
    ("MapValues", {"mapping": {"age": AGES}, "with_original_features": True}, [
        {"age": 12, "z": 1}, {"age": 18}, {"age": -3}, {"z": 1}, {}, {"age": 1, "age_mapped": "own"},
    ]),
    ("MapValues", {"mapping": {"n": SIGNS}}, [{"n": n} for n in (-5, 0, 5, -INF, INF, NAN, None, "x")]),
    ("MapValues", {"mapping": {"n": {"ranges": {"a": [0, 10], "b": [5, 20]}}}}, [{"n": n} for n in (5, 9, 10, 19, 20)]),
    ("MapValues", {"mapping": {"n": {"ranges": {"a": [10, 0]}}}}, [{"n": 5}]),
    ("MapValues", {"mapping": {"n": {"ranges": {"a": [0, 1]}, 5: "five"}}}, [{"n": n} for n in (0, 1, 5)]),
    ("MapValues", {"mapping": {"w": {"ranges": {"first": ["a", "n"], "last": ["n", "zz"]}}}}, [{"w": w} for w in ("bob", "tim", "~", 3)]),
    ("MapValues", {"mapping": {"sex": {"f": 1, "m": 0}}}, [
        {"sex": s} for s in ("f", "m", "q", None, NAN, 1, True, [1], {"a": 1}, "")
    ]),
    ("MapValues", {"mapping": {"sex": {"f": 1, "m": 0}}, "with_original_features": True}, [{"sex": "f"}, {"sex": "q", "b": 2}]),
    ("MapValues", {"mapping": {"sex": {"f": 1}}, "with_original_features": True, "suffix": "code"}, [{"sex": "f"}, {}]),
    ("MapValues", {"mapping": {"sex": {"f": 1}}, "suffix": "code"}, [{"sex": "f"}]),
    ("MapValues", {"mapping": {"n": {0: 1, 1: 0}}}, [{"n": n} for n in (0, 1, 2, True, False, 1.0, "0")]),
    ("MapValues", {"mapping": {"n": {None: "none", "": "empty"}}}, [{"n": n} for n in (None, "", NAN)]),
    ("MapValues", {"mapping": {"a": {"x": "y"}, "b": {}, "c": AGES}}, [{"c": 3, "b": 2, "a": "x", "d": 0}]),
    ("MapValues", {"mapping": {"n": {"12": "dozen"}}}, [{"n": 12}, {"n": "12"}]),
    ("Imputer", {"mapping": {"age": 40, "x": None}, "default_value": 7}, [
        {"age": None, "x": None, "z": None}, {"age": NAN, "x": NAN, "z": NAN}, {"age": 0, "x": "", "z": False},
        {}, {"age": [1, 2]}, {"age": []}, {"age": {"b": None}}, {"age": "nan"}, [1], None, "text",
    ]),
    ("Imputer", {}, [{"a": None}, {"a": NAN}, {"a": 1}]),
    ("Imputer", {"default_value": 0}, [{"a": None, "b": NAN, "c": 3}]),
    ("Imputer", {"method": "median", "mapping": {"a": "?"}}, [{"a": None, "b": None}]),
    ("OneHotEncoder", {"mapping": {"d": DAYS}}, [
        {"d": d, "x": 1} for d in ("mon", "tue", "wed day", "wed_day", "thu-x", "zzz", None, NAN, "", [1], {"a": 1})
    ] + [{"x": 1}, {}, {"x": 1, "d": "mon", "y": 2}, {"d": "mon", "d_mon": 9}, {"d_mon": 9, "d": "tue"}, [1], None]),
    ("OneHotEncoder", {"mapping": {"n": [1, 2], "d": ["a", "a", "b"]}}, [
        {"n": n, "d": "b"} for n in (1, 2, 3, "1", 1.0, True)
    ]),
    ("OneHotEncoder", {"mapping": {"d": []}}, [{"d": "a"}]),
    ("OneHotEncoder", {"mapping": {"d": ["a b", "a-b"]}}, [{"d": "a b"}, {"d": "a-b"}, {"d": "a_b"}]),
    ("OneHotEncoder", {"mapping": {"d": [1.5]}}, [{"d": 1.5}]),
    ("OneHotEncoder", {"mapping": {"d": [None]}}, [{"d": None}]),
    ("DateExtractor", {"parts": PARTS, "timestamp_col": "at"}, [{"at": d, "x": 1} for d in DATES] + [{"x": 1}, {}, [1], None]),
    ("DateExtractor", {"parts": ["hour", "day_of_week"]}, [{"timestamp": "2024-03-01T12:30:15"}, {"at": 1}]),
    ("DateExtractor", {"parts": {"hour": "h"}, "timestamp_col": ""}, [{"timestamp": "2024-03-01T12:30:15"}]),
    ("DropFeatures", {"features": ["a", "b"]}, [
        {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": None}, {"a": 1, "c": 3}, {"b": 1}, {}, [1], None,
    ]),
    ("DropFeatures", {"features": []}, [{"a": 1}]),
    ("SetEventMetadata", {"id_path": "my.id", "key_path": "k"}, [
        {"my": {"id": "X9"}, "k": "key1"}, {"my": {"id": 7}, "k": 1.5}, {"my": 3, "k": None}, {"k": [1, 2]}, {},
        [1], None, "text", {"my": {"id": {"a": 1}}, "k": True},
    ]),
    ("SetEventMetadata", {"key_path": "a.b.c"}, [{"a": {"b": {"c": 0}}}, {"a": {"b": 1}}]),
    ("SetEventMetadata", {}, [{"a": 1}]),
    ("SetEventMetadata", {"id_path": ""}, [{"a": 1}]),
]

FRAMES = [
    # block, arguments, columns
    ("MapValues", {"mapping": {"sex": {"f": 1, "m": 0}}}, {"sex": ["f", "m", "f"], "x": [1, 2, 3]}),
    ("MapValues", {"mapping": {"sex": {"f": 1, "m": 0}}, "with_original_features": True}, {"sex": ["f", "m"]}),
    ("MapValues", {"mapping": {"sex": {"f": 1}}}, {"sex": ["f", "q"]}),
    ("MapValues", {"mapping": {"age": AGES}, "with_original_features": True}, {"age": [3, 70, 17.5], "x": [1, 2, 3]}),
    ("MapValues", {"mapping": {"age": AGES}}, {"age": [18]}),
    ("MapValues", {"mapping": {"age": AGES}}, {"age": [-1]}),
    ("Imputer", {"mapping": {"age": 40.0}, "default_value": 7.0}, {"age": [None, 3.0], "z": [NAN, 2.0], "s": [1, 2]}),
    ("Imputer", {}, {"age": [NAN, 3.0]}),
    ("OneHotEncoder", {"mapping": {"d": DAYS, "n": [1, 2]}}, {"a": [0, 0, 0], "d": ["mon", "zzz", None], "n": [1, 2, 3], "z": [5, 6, 7]}),
    ("OneHotEncoder", {"mapping": {"d": ["a"]}}, {"x": [1]}),
    ("DateExtractor", {"parts": ["hour", "day_of_week", "is_leap_year"], "timestamp_col": "at"}, {"at": ["2024-03-01T12:30:15", "2023-01-01"], "x": [1, 2]}),
    ("DateExtractor", {"parts": ["hour"]}, {"at": ["2024-03-01"]}),
    ("DropFeatures", {"features": ["a"]}, {"a": [1, 2], "b": [3, 4]}),
    ("DropFeatures", {"features": ["nope"]}, {"a": [1, 2]}),
]


def tag(value):
    if value is None or isinstance(value, bool | int | str):
        return value
    if type(value).__module__ == "numpy" and hasattr(value, "item") and value.dtype.kind in "biufU":
        value = value.item()
    if isinstance(value, float):
        return {"$nan": 1} if math.isnan(value) else {"$inf": 1 if value > 0 else -1} if math.isinf(value) else value
    if isinstance(value, int | bool):
        return value
    if isinstance(value, list):
        return [tag(item) for item in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: tag(item) for key, item in value.items()}
        return {"$items": [[tag(key), tag(item)] for key, item in value.items()]}
    return {"$repr": repr(value)}


def error_of(error):
    return {"class": type(error).__name__, "message": str(error)[:200]}


def observe(steps, block, arguments, record):
    import storey

    found = {"body": tag(record)}
    try:
        step = getattr(steps, block)(**copy.deepcopy(arguments))
    except Exception as error:
        return {**found, "refused": error_of(error)}
    try:
        if block == "SetEventMetadata":
            step.post_init()
            event = step.do(storey.Event(copy.deepcopy(record), id="own id", key="own key"))
            return {**found, "answer": {"id": event.id, "key": event.key}}
        return {**found, "answer": tag(step.do(copy.deepcopy(record)))}
    except Exception as error:
        return {**found, "error": error_of(error)}


def observe_frame(steps, block, arguments, columns):
    import pandas

    found = {"block": block, "args": tag(arguments), "columns": tag(columns)}
    try:
        answer = getattr(steps, block)(**copy.deepcopy(arguments)).do(pandas.DataFrame(columns))
        return {**found, "answer": tag(answer.to_dict(orient="list"))}
    except Exception as error:
        return {**found, "error": error_of(error)}


def main():
    import mlrun
    import pandas
    from mlrun.feature_store import steps

    warnings.simplefilter("ignore")
    rows = [
        {"block": block, "args": tag(arguments), "events": [observe(steps, block, arguments, r) for r in records]}
        for block, arguments, records in CASES
    ]
    frames = [observe_frame(steps, *case) for case in FRAMES]
    versions = {"mlrun": mlrun.__version__, "pandas": pandas.__version__}
    json.dump({"versions": versions, "rows": rows, "frames": frames}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
