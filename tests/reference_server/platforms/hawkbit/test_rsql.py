"""Queries: the grammar, what each operator means, and what is refused (§1.2, S24)."""

from __future__ import annotations

import re
import tracemalloc
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hawkbit.search.rsql import Comparison, Logical, Operator, parse
from fleetrig.reference_server.platforms.hawkbit.search.rsql_fields import Field, Fields, Holds
from fleetrig.reference_server.platforms.hawkbit.search.rsql_match import compiled
from fleetrig.reference_server.platforms.hawkbit.search.rsql_values import value_test
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError

REPEATED = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


@dataclass
class Thing:
    name: str | None = None
    size: int | None = None
    state: str = "new"
    tags: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    is_on: bool = False
    valid: bool = True


FIELDS = Fields(
    {
        "name": Field(lambda thing, look: thing.name),
        "size": Field(lambda thing, look: thing.size, Holds.NUMBER),
        "state": Field(lambda thing, look: thing.state, Holds.CHOICE, choices=("new", "old")),
        "tag": Field(lambda thing, look: thing.tags, many=True),
        "note": Field(lambda thing, look: thing.notes, by_key=True),
        "valid": Field(lambda thing, look: thing.valid, Holds.BOOLEAN),
        "maker.id": Field(lambda thing, look: None, Holds.NUMBER),
        "maker.Name": Field(lambda thing, look: None),
        "maker.home": Field(lambda thing, look: 7, Holds.RECORD),
        "maker.home.city": Field(lambda thing, look: "Rome"),
        "isOn": Field(lambda thing, look: thing.is_on, Holds.PRESENCE),
    }
)

PARTS = "[id, Name, home]"


def matches(query: str, thing: Thing) -> bool:
    return compiled(query, FIELDS)(thing, None)


def equal(selector: str, value: str) -> Comparison:
    return Comparison(selector, Operator.EQUAL, (value,))


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("a==1", equal("a", "1")),
        ("a==1;b==2", Logical(True, (equal("a", "1"), equal("b", "2")))),
        ("a==1 and b==2", Logical(True, (equal("a", "1"), equal("b", "2")))),
        ("a==1,b==2", Logical(False, (equal("a", "1"), equal("b", "2")))),
        ("a==1 or b==2", Logical(False, (equal("a", "1"), equal("b", "2")))),
        ("a==1,b==2;c==3", Logical(False, (equal("a", "1"), Logical(True, (equal("b", "2"), equal("c", "3")))))),
        ("(a==1,b==2);c==3", Logical(True, (Logical(False, (equal("a", "1"), equal("b", "2"))), equal("c", "3")))),
        ("A.Key==Value", equal("a.key", "value")),
        ("a == 'x y; z'", equal("a", "x y; z")),
        (r'a=="say \"hi\""', equal("a", 'say "hi"')),
        ("a=in=(x,y , z)", Comparison("a", Operator.IN, ("x", "y", "z"))),
        ("a=out=x", Comparison("a", Operator.OUT, ("x",))),
        ("a=is=null", Comparison("a", Operator.EQUAL, (None,))),
        ("a=not=null", Comparison("a", Operator.NOT_EQUAL, (None,))),
        ("a==null", equal("a", "null")),
        ("a=ge=3", Comparison("a", Operator.GREATER_OR_EQUAL, ("3",))),
        ("a>=3", Comparison("a", Operator.GREATER_OR_EQUAL, ("3",))),
        ("a<3", Comparison("a", Operator.LESS, ("3",))),
    ],
)
def test_a_query_is_parsed(query: str, tree: object) -> None:
    assert parse(query) == tree


@pytest.mark.parametrize(
    "query",
    ["", "name", "name==", "name=li=x",
     "==x", "name==(a,b)", "name==a;", "(name==a", "name==a)", "name==a b", "name=~x",
     "name=='a", "name==a;;name==b", ",name==a"],
)  # fmt: skip
def test_bad_syntax_is_refused(query: str) -> None:
    with pytest.raises(HawkbitError) as refused:
        parse(query)
    assert (refused.value.status, refused.value.code) == (400, "rest.param.rsqlParamSyntax")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name==Alpha", True),
        ("name==aLPHA", True),
        ("name==alp", False),
        ("name==alp*", True),
        ("name==*PH*", True),
        (r"name==alp\*", False),
        ("name!=beta", True),
        ("name!=alp*", False),
        ("name=in=(beta,ALPHA)", True),
        ("name=out=(beta,gamma)", True),
        ("name=gt=aa", False),
        ("name=lt=aa", True),
        ("name=gt=''", True),
        ("name==''", False),
        ("name!=''", True),
        ("name=is=null", False),
        ("name=not=null", True),
        ("size==5", True),
        ("size>4;size<6", True),
        ("size>=5;size<=5", True),
        ("size=gt=5", False),
        ("size=in=(4,5)", True),
        ("size!=5", False),
        ("size==*", True),
        ("state==NEW", True),
        ("state!=new", False),
        ("state=in=(old,new)", True),
        ("tag==red", True),
        ("tag==r*", True),
        ("tag!=red", False),
        ("tag!=green", True),
        ("tag=out=(red,green)", False),
        ("note.hw==2", True),
        ("note.HW==2", True),
        ("note.hw!=2", False),
        ("note.hw!=3", True),
        ("note.sw==2", False),
        ("note.sw!=2", False),
        ("note.sw=is=null", True),
        ("note.sw=not=null", False),
        ("note.hw=not=null", True),
        ("note.sw==''", True),
        ("note.hw==''", False),
        ("note.sw!=''", False),
        ("tag=is=null", False),
        ("tag==''", False),
        ("tag!=''", True),
        ("maker.name=is=null", True),
        ("maker.home=not=null", True),
        ("maker.home.city==rome", True),
        ("valid==true", True),
        ("valid=in=(true,false)", True),
        ("valid!=TRUE", False),
        ("ison==true", True),
        ("ison!=true", False),
        ("ison==false", False),
        ("name==beta,size==5", True),
        ("name==beta;size==5", False),
    ],
)
def test_what_an_operator_means(query: str, expected: bool) -> None:
    thing = Thing("Alpha", 5, "new", ["Red", "Blue"], {"HW": "2"}, is_on=True)
    assert matches(query, thing) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name==x", False),
        ("name!=x", True),
        ("name!=x*", True),
        ("name==*", False),
        ("name=out=(x)", True),
        ("name=is=null", True),
        ("name==''", True),
        ("name!=''", False),
        ("name=gt=a", False),
        ("size<3", False),
        ("size=is=null", True),
        ("tag==x", False),
        ("tag!=x", True),
        ("tag=is=null", True),
        ("tag==''", True),
        ("tag!=''", False),
        ("tag=not=null", True),
    ],
)
def test_null_differs_from_everything_and_has_no_order(query: str, expected: bool) -> None:
    assert matches(query, Thing()) is expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("foo==1", None),
        ("foo.bar==1", None),
        ("note==1", "No key for the map field found. Syntax is: note.<key name>"),
        ("NAME.first==x", "Sub-attributes not supported for simple field NAME"),
        ("maker==x",
         "The given search parameter field {maker} requires one of the following sub-attributes " + PARTS),
        ("maker.age==x",
         "The given search field {maker.age} has unsupported sub-attributes. Supported sub-attributes are " + PARTS),
        ("state==middle", "Value of state must be one of the following: [new, old]"),
        ("state=in=(new,middle)", "Value of state must be one of the following: [new, old]"),
        ("state==n*", "Value of state must be one of the following: [new, old]"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_searched_so_is_refused_in_the_words_of_the_server(
    query: str, message: str | None
) -> None:
    with pytest.raises(HawkbitError) as refused:
        matches(query, Thing())
    assert (refused.value.code, refused.value.message) == ("rest.param.rsqlInvalidField", message)


def test_the_reason_names_the_nearest_field() -> None:
    with pytest.raises(HawkbitError, match="near: name"):
        matches("nmae==x", Thing())


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("state>new", "> operator could not be applied to enum or boolean field"),
        ("valid=le=true", "<= operator could not be applied to enum or boolean field"),
        (
            "valid==maybe",
            "The value of VALID is not well formed. Only a boolean (true or false) value will be expected",
        ),
        ("ison==maybe", "Only a boolean value is supported for existance check on ison"),
        ("ison=in=(true)", "Only a boolean value is supported for existance check on ison"),
        ("ison>true", "Operator > is not supported for existence check on ison"),
        ("name==", None),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused_in_the_words_of_the_server(
    query: str, message: str | None
) -> None:
    with pytest.raises(HawkbitError) as refused:
        matches(query, Thing())
    assert (refused.value.code, refused.value.message) == ("rest.param.rsqlParamSyntax", message)


@pytest.mark.parametrize("query", ["size==many", "size=gt=x", "size==''", "size==5.5", f"size=={2**63}", "size==5*"])
def test_text_for_a_number_is_not_readable(query: str) -> None:
    with pytest.raises(HawkbitError) as refused:
        matches(query, Thing())
    assert refused.value.code == "rest.body.notReadable"


def test_a_record_cannot_be_compared() -> None:
    with pytest.raises(HawkbitError) as refused:
        matches("maker.home==x", Thing())
    assert (refused.value.status, refused.value.code) == (400, "rest.param.rsqlInvalidField")


def test_in_memory_a_key_must_be_lower_case_and_a_fixed_word_never_matches() -> None:
    """As the real server matches polling overrides."""
    thing = Thing(notes={"HW": "2", "sw": "1"})
    assert not compiled("note.HW==2", FIELDS, in_memory=True)(thing, None)
    assert compiled("note.sw==1", FIELDS, in_memory=True)(thing, None)
    assert not compiled("state==new", FIELDS, in_memory=True)(thing, None)


@REPEATED
@given(st.text("ab*\\", max_size=8), st.text("ab*", max_size=12))
def test_stars_stand_for_any_text(pattern: str, text: str) -> None:
    """As a regular expression would have it, which would take for ever over many stars."""
    pieces = pattern.replace("\\*", "\0").split("*")
    if len(pieces) == 1:
        return
    wanted = ".*".join(re.escape(piece.replace("\0", "*")) for piece in pieces)
    found = value_test(FIELDS.find("name")[0], Comparison("name", Operator.EQUAL, (pattern,)))(text)
    assert found == (re.fullmatch(wanted, text, re.DOTALL) is not None)


def test_many_stars_over_a_long_text_are_looked_for_once() -> None:
    query = "name==" + "*a" * 200 + "*b"
    assert compiled(query, FIELDS)(Thing("a" * 2000), None) is False
    assert compiled(query, FIELDS)(Thing("a" * 2000 + "b"), None) is True


@pytest.mark.slow
def test_few_long_queries_are_remembered() -> None:
    """Each is a megabyte of comparisons, and anybody who may read lists can think of any number of them."""
    tracemalloc.start()
    try:
        for number in range(60):
            compiled(",".join(f"name=={number}.{other}" for other in range(500)), FIELDS)
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 30_000_000
