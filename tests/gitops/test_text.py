from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops import text

# Kubernetes' own reader follows YAML 1.1 for words and YAML 1.2 for numbers.
READ_AS_NUMBERS = ["1e3", "123e456", "0o17", "1_000", ".5", "+1", "0x1F"]
READ_AS_TRUTH = ["y", "N", "yes", "off", "true", "null", "~"]


def test_the_known_keys_come_first() -> None:
    content = {"spec": {}, "metadata": {"name": "a"}, "kind": "B", "data": {}, "apiVersion": "v1"}
    lines = [line.partition(":")[0] for line in text.document(content).splitlines()]
    assert [line for line in lines if not line.startswith(" ")] == [
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "data",
    ]


def test_words_that_other_readers_take_for_something_else_are_quoted() -> None:
    for word in READ_AS_NUMBERS + READ_AS_TRUTH:
        assert text.document({"a": word}) == f"a: '{word}'\n"


def test_the_same_list_twice_is_written_twice() -> None:
    shared = ["x"]
    assert text.document({"a": shared, "b": shared}) == "a:\n- x\nb:\n- x\n"


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    assert yaml.safe_load(text.document({"a": value})) == {"a": value}
