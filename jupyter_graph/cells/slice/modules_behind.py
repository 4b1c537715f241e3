"""Modules that a library imports only when one of its functions is called."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Final

_OF_PANDAS: Final = {
    "pyarrow": "read_parquet to_parquet read_feather to_feather read_orc to_orc",
    "openpyxl": "read_excel to_excel ExcelFile ExcelWriter",
    "tables": "read_hdf to_hdf HDFStore",
    "sqlalchemy": "read_sql read_sql_query read_sql_table to_sql",
    "lxml": "read_html read_xml to_xml",
    "tabulate": "to_markdown",
    "xarray": "to_xarray",
    "matplotlib": "plot hist boxplot",
}
_OF_POLARS: Final = {
    "pyarrow": "to_arrow from_arrow to_pandas from_pandas",
    "pandas": "to_pandas from_pandas",
    "fastexcel": "read_excel",
    "xlsxwriter": "write_excel",
    "sqlalchemy": "read_database write_database",
    "connectorx": "read_database_uri",
}
_OF_SCIKIT_LEARN: Final = {"pandas": "set_output fetch_openml"}
_BOOSTED: Final = "Classifier Regressor Ranker RFClassifier RFRegressor"

BEHIND: Final[Mapping[str, Mapping[str, str]]] = {
    "pandas": _OF_PANDAS,
    "polars": _OF_POLARS,
    "sklearn": _OF_SCIKIT_LEARN,
    "xgboost": {"sklearn": " ".join(f"XGB{word}" for word in _BOOSTED.split())},
    "lightgbm": {"sklearn": "LGBMClassifier LGBMRegressor LGBMRanker"},
    "networkx": {"scipy": "pagerank to_scipy_sparse_array laplacian_matrix"},
    "pydantic": {"email_validator": "EmailStr NameEmail"},
    "dask": {"pyarrow": "read_parquet to_parquet"},
}
"""Library to the modules behind it, and the names that need each."""


def modules_behind(nodes: Iterable[ast.AST], libraries: Iterable[str]) -> set[str]:
    """Return what the libraries import behind the names that some code mentions.

    >>> code = ast.parse("import pandas as pd; pd.read_parquet('a.parquet')")
    >>> modules_behind([code], ["pandas"])
    {'pyarrow'}
    """
    parts = [part for node in nodes for part in ast.walk(node)]
    mentioned = {part.attr for part in parts if isinstance(part, ast.Attribute)}
    mentioned |= {part.id for part in parts if isinstance(part, ast.Name)}
    found = {
        module
        for library in set(libraries) & BEHIND.keys()
        for module, names in BEHIND[library].items()
        if not mentioned.isdisjoint(names.split())
    }
    if "bs4" in libraries:  # the parser is named by a text
        words = {part.value for part in parts if isinstance(part, ast.Constant)}
        found |= {"lxml", "html5lib"} & words
    return found
