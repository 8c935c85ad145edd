"""The same filter passes the same items in Milvus Lite and in the tier's columns."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymilvus import DataType, MilvusClient

from tiepoint.index.base import CollectionSchema, Row
from tiepoint.index.columns import Columns
from tiepoint.index.filters import Filter, milvus_field

METADATA = {
    "s": "string",
    "i": "int",
    "f": "float",
    "b": "bool",
    "ss": "strings",
    "is": "ints",
    "fs": "floats",
}
STRINGS = [
    "",
    "a",
    "ab",
    "b",
    "B",
    "a%b",
    "a_b",
    'quo"te',
    "it's",
    "back\\slash",
    "line\nbreak",
    "tab\there",
    "né",
    "日本",
    "😀",
    '" or id != "',
    "{x}",
    "\\",
    "\x00\x07",
    "null",
]
INTS = [0, 1, 2, -5, 2**60, -(2**63) + 1, 2**63 - 1]
FLOATS = [0.0, 1.0, -2.5, 1e-300, 1e300, 0.1, -0.0]
VALUES = {
    "s": st.sampled_from(STRINGS),
    "i": st.sampled_from(INTS),
    "f": st.sampled_from(FLOATS),
    "b": st.booleans(),
}
ELEMENT = {"ss": "s", "is": "i", "fs": "f"}
COUNT = 48


def _values(number):
    """Values of an item: every string and number occurs, and so does every gap."""
    values = {
        "s": STRINGS[number % len(STRINGS)],
        "i": INTS[number % len(INTS)],
        "f": FLOATS[number % len(FLOATS)],
        "b": number % 2 == 0,
        "ss": [STRINGS[(number + step) % len(STRINGS)] for step in range(number % 4)],
        "is": [INTS[(number + step) % len(INTS)] for step in range(number % 3)],
        "fs": [FLOATS[(number + step) % len(FLOATS)] for step in range(number % 3)],
    }
    gaps = (number * 7) % 128
    return {name: value for bit, (name, value) in enumerate(values.items()) if not gaps >> bit & 1}


ROWS = {f"{number}{STRINGS[number % len(STRINGS)]}": _values(number) for number in range(COUNT)}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    client = MilvusClient(str(tmp_path_factory.mktemp("milvus") / "filters.db"))
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.VARCHAR, max_length=512, is_primary=True)
    schema.add_field("anchor", DataType.FLOAT_VECTOR, dim=2)
    scalars = {
        "string": DataType.VARCHAR,
        "int": DataType.INT64,
        "float": DataType.DOUBLE,
        "bool": DataType.BOOL,
    }
    for name, kind in METADATA.items():
        options = {"max_length": 1000} if kind.startswith("string") else {}
        if kind in scalars:
            schema.add_field(milvus_field(name), scalars[kind], nullable=True, **options)
        else:
            schema.add_field(
                milvus_field(name),
                DataType.ARRAY,
                element_type=scalars[kind[:-1]],
                max_capacity=16,
                nullable=True,
                **options,
            )
    index = client.prepare_index_params()
    index.add_index("anchor", index_type="FLAT", metric_type="IP")
    client.create_collection("items", schema=schema, index_params=index)
    client.insert(
        "items",
        [
            {
                "id": name,
                "anchor": [1.0, 0.0],
                **{milvus_field(field): values.get(field) for field in METADATA},
            }
            for name, values in ROWS.items()
        ],
    )
    columns = Columns(CollectionSchema("items", (), {}, METADATA))
    columns.append([Row(name, {}, values, {}, "") for name, values in ROWS.items()])
    columns.revive(0, COUNT)
    yield client, columns
    client.close()


def _quoted(text):
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _literal(value):
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else repr(value)


def _listed(name):
    literals = st.lists(VALUES[name].map(_literal), max_size=4)
    return literals.map(lambda values: f"[{', '.join(values)}]")


_PATTERNS = st.lists(
    st.sampled_from(["%", "_", "a", "b", '"', "'", "né", "日", "{", "\n"]), max_size=5
)
_FIELDS = st.sampled_from(["s", "i", "f", "b"])
_ORDERED = ["==", "!=", "<", "<=", ">", ">="]


@st.composite
def _tests(draw):
    kind = draw(st.sampled_from(["compare", "in", "like", "contains", "exists", "id"]))
    if kind == "compare":
        name = draw(_FIELDS)
        operator = draw(st.sampled_from(_ORDERED[:2] if name == "b" else _ORDERED))
        return f"{name} {operator} {_literal(draw(VALUES[name]))}"
    if kind == "in":
        name = draw(_FIELDS)
        return f"{name} {draw(st.sampled_from(['in', 'not in']))} {draw(_listed(name))}"
    if kind == "like":
        return f"s like {_quoted(''.join(draw(_PATTERNS)))}"
    if kind == "contains":
        name = draw(st.sampled_from(list(ELEMENT)))
        field = f"`{name}`"
        if draw(st.booleans()):
            return f"{field} contains {_literal(draw(VALUES[ELEMENT[name]]))}"
        every = draw(st.sampled_from(["any", "all"]))
        return f"{field} contains {every} {draw(_listed(ELEMENT[name]))}"
    if kind == "exists":
        test = draw(st.sampled_from(["exists", "missing"]))
        return f"{test} `{draw(st.sampled_from(list(METADATA)))}`"
    operator = draw(st.sampled_from(_ORDERED))
    return f"id {operator} {_quoted(draw(st.sampled_from(list(ROWS))))}"


_FILTERS = st.recursive(
    _tests(),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(
            lambda parts: f"({parts[0]}{parts[1]}{parts[2]})"
        ),
    ),
    max_leaves=5,
)


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(where=_FILTERS)
def test_milvus_and_the_mask_pass_the_same_items(both, where):
    client, columns = both
    parsed = Filter.parse(where, METADATA)
    found = client.query("items", filter=parsed.to_milvus(), output_fields=["id"])
    mask = parsed.mask(columns)
    assert {row["id"] for row in found} == {columns.ids[row] for row in mask.nonzero()[0]}


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=30))
def test_any_string_stays_a_string(both, text):
    client, _ = both
    where = Filter.parse(f"s == {_quoted(text)} or id == {_quoted(text)}", METADATA)
    found = client.query("items", filter=where.to_milvus(), output_fields=["id"])
    expected = {name for name, values in ROWS.items() if text in (values.get("s"), name)}
    assert {row["id"] for row in found} == expected


def test_deepest_filter_is_understood_by_milvus(both):
    client, columns = both
    where = Filter.parse("not (i == 1 or " * 14 + "b == true" + ")" * 14, METADATA)
    found = client.query("items", filter=where.to_milvus(), output_fields=["id"])
    assert len(found) == where.mask(columns).sum()
