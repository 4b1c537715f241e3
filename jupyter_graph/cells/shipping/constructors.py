"""The table of constructors that are cheap and always make the same."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

Compare = Callable[[Any, Any], bool]


def _by(read: Callable[[Any], Any]) -> Compare:
    """Compare what can be read from two objects of one type."""

    def compare(live: Any, again: Any) -> bool:
        return type(live) is type(again) and bool(read(live) == read(again))

    return compare


def _by_attributes(*names: str) -> Compare:
    return _by(lambda thing: [getattr(thing, name, None) for name in names])


_equal = _by(lambda thing: thing)
_same_type = _by(type)
_same_repr = _by(repr)
_reduced = _by(lambda thing: thing.__reduce__())
_random_state = _by(lambda thing: thing.getstate())
_members = _by(lambda kind: (kind.__bases__, [(m.name, m.value) for m in kind]))
_described = _by(lambda kind: (kind.__name__, kind.__bases__, _fields_of(kind)))
_fields = _by(lambda kind: (kind.__name__, kind._fields, kind._field_defaults))


def _fields_of(kind: Any) -> str:
    """Return the fields that pydantic, attrs, dataclasses or typing keep of a class."""
    kept = ("model_fields", "__attrs_attrs__", "__dataclass_fields__")
    found = next((getattr(kind, name) for name in kept if hasattr(kind, name)), None)
    total = getattr(kind, "__total__", None)
    return repr((kind.__annotations__, found, total))


def _empty(live: Any, again: Any) -> bool:
    size = live.qsize() if hasattr(live, "qsize") else len(live)
    return type(live) is type(again) and size == 0


def wraps_the_same(live: Any, again: Any) -> bool:
    """Tell whether two caches are of one function."""
    wrapped = getattr(live, "__wrapped__", None)
    return type(live) is type(again) and wrapped is getattr(again, "__wrapped__", 0)


_ROWS: tuple[tuple[Compare, str], ...] = (
    (
        _equal,
        "builtins.bool builtins.bytearray builtins.bytes builtins.complex "
        "builtins.dict builtins.float builtins.frozenset builtins.int builtins.list "
        "builtins.range builtins.set builtins.slice builtins.str builtins.tuple "
        "builtins.abs builtins.chr builtins.divmod builtins.len builtins.max "
        "builtins.min builtins.ord builtins.pow builtins.round builtins.sorted "
        "builtins.sum builtins.dict.fromkeys builtins.bytes.fromhex "
        "re.compile re.escape pathlib.Path pathlib.PurePath pathlib.PosixPath "
        "pathlib.PurePosixPath decimal.Decimal fractions.Fraction uuid.UUID "
        "datetime.datetime datetime.date datetime.time datetime.timedelta "
        "datetime.timezone datetime.datetime.fromisoformat datetime.date.fromisoformat "
        "datetime.datetime.strptime datetime.datetime.fromtimestamp zoneinfo.ZoneInfo "
        "collections.Counter collections.OrderedDict collections.defaultdict "
        "collections.deque collections.ChainMap types.SimpleNamespace "
        "types.MappingProxyType ipaddress.ip_address ipaddress.ip_network "
        "textwrap.dedent json.loads os.path.join os.getenv os.environ.get "
        "math.ceil math.exp math.floor math.log math.log10 math.log2 math.pow "
        "math.radians math.sqrt typing.cast typing.ForwardRef",
    ),
    (
        _same_type,
        "builtins.object threading.Barrier threading.BoundedSemaphore "
        "threading.Condition threading.Event threading.Lock threading.RLock "
        "threading.Semaphore threading.local asyncio.BoundedSemaphore "
        "asyncio.Condition asyncio.Event asyncio.Lock asyncio.Semaphore",
    ),
    (
        _empty,
        "queue.Queue queue.LifoQueue queue.SimpleQueue asyncio.Queue "
        "weakref.WeakKeyDictionary weakref.WeakSet weakref.WeakValueDictionary",
    ),
    (operator.is_, "logging.getLogger"),
    (_same_repr, "itertools.count"),
    (
        _reduced,
        "functools.partial operator.itemgetter operator.attrgetter "
        "operator.methodcaller",
    ),
    (wraps_the_same, "functools.lru_cache functools.cache"),
    (_random_state, "random.Random"),
    (_members, "enum.Enum enum.IntEnum enum.StrEnum enum.Flag enum.IntFlag"),
    (_fields, "collections.namedtuple typing.NamedTuple"),
    (
        _described,
        "pydantic.main.create_model attr._make.make_class attr.make_class "
        "dataclasses.make_dataclass typing.TypedDict",
    ),
    (_by_attributes("template"), "string.Template"),
    (_by_attributes("format"), "struct.Struct"),  # its text is its address
    (_by_attributes("name"), "contextvars.ContextVar"),
    (_by_attributes("__name__", "__bound__", "__constraints__"), "typing.TypeVar"),
    (_by_attributes("__name__"), "typing.ParamSpec"),
    (_by_attributes("__name__", "__supertype__"), "typing.NewType"),
    (_by_attributes("_max_workers"), "concurrent.futures.ThreadPoolExecutor"),
)
TABLE = {name: compare for compare, names in _ROWS for name in names.split()}
ENVIRONMENT = frozenset({"os.getenv", "os.environ.get", "os.environ"})


def comparer(function: Any) -> Compare | None:
    """Return how to compare what a constructor made with what it makes again.

    None for anything that is not in the table; a module that is not loaded yet is
    not loaded for the question.

    >>> from decimal import Decimal
    >>> compare = comparer(Decimal)
    >>> compare is not None and compare(Decimal("1.0"), Decimal("1.0"))
    True
    >>> comparer(print) is None
    True
    """
    for name, compare in TABLE.items():
        known = loaded(name)
        # Bound class methods are made anew at each access: equal, never identical.
        is_bound = known is not None and name.count(".") > 1
        if known is function or (is_bound and known == function):
            return compare
    return None


def loaded(name: str) -> Any:
    """Return what a dotted name stands for in the modules that are loaded, or None."""
    module, _, attribute = name.rpartition(".")
    if module in sys.modules:
        return getattr(sys.modules[module], attribute, None)
    owner = loaded(module) if module else None
    return getattr(owner, attribute, None) if owner is not None else None
