from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.opl.export import distinct


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (2) (2)"]), max_size=12))
def test_queries_become_distinct_and_first_titles_stay(titles: list[str]) -> None:
    queries = distinct(titles)
    assert len(set(queries)) == len(titles) == len(queries)
    assert all(query.startswith(title) for query, title in zip(queries, titles, strict=True))
    firsts = {title: titles.index(title) for title in titles}
    assert all(queries[place] == title for title, place in firsts.items())
