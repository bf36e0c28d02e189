from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.generate.batches import plan, shared_prefix

PROMPTS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12), max_size=30)


@given(prompts=PROMPTS, batch_size=st.integers(1, 8))
def test_every_prompt_is_in_one_batch_of_allowed_size(prompts, batch_size):
    batches = plan(prompts, batch_size)
    assert sorted(at for batch in batches for at in batch) == list(range(len(prompts)))
    assert all(0 < len(batch) <= batch_size for batch in batches)


def test_long_beginnings_stay_together():
    first, second = list(range(200)), list(range(500, 700))
    prompts = [[*(first if i % 2 else second), i] for i in range(40)]
    batches = plan(prompts, 40)
    assert sorted(len(batch) for batch in batches) == [20, 20]
    assert all(shared_prefix([prompts[at] for at in batch]) == 200 for batch in batches)


def test_long_prompts_do_not_pad_short_ones():
    prompts = [[i] * (10 if i % 2 else 400) for i in range(64)]
    lengths = [[len(prompts[at]) for at in batch] for batch in plan(prompts, 64)]
    assert sorted((batch.count(400), batch.count(10)) for batch in lengths) == [(0, 31), (32, 1)]  # one hides the step


def test_a_few_odd_tokens_do_not_cost_a_batch():
    assert len(plan([[i, i, *([7] * (i % 3))] for i in range(32)], 32)) == 1
