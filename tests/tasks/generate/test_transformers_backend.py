from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.generate.base import GenerationError, Message, Sampling
from tasks.generate.batches import shared_prefix
from tasks.generate.decoding import BatchDecoder, Rules
from tasks.generate.templates import film_template
from tasks.generate.transformers_backend import TransformersGenerator, load, native_bfloat16

PREFIX = "w1 w2 w3 w4 w5 w6"
PROMPTS = [
    *[f"{PREFIX} w{i} w{2 * i} w9" for i in range(8)],
    *[f"{PREFIX} w{i}" for i in range(10, 14)],
    f"{PREFIX} w7 w7 w8 w9 w10 w11 w12 w13 w14 w15",
    "w40",
    "w41 w42 w43",
]


def generator(directory: Path, batch_size: int | None = None) -> TransformersGenerator:
    return TransformersGenerator(*load(directory, "float32", "cpu"), "digest", batch_size)


def texts(made: TransformersGenerator, prompts=PROMPTS, **sampling) -> list[str]:
    answers = {at: text for at, text, _ in made.generate(prompts, Sampling(max_new_tokens=12, **sampling))}
    return [answers[at] for at in range(len(prompts))]


def alone(made: TransformersGenerator, prompts=PROMPTS) -> list[str]:
    """Each prompt by itself through transformers' own loop."""
    said = []
    for ids in made.tokenize(prompts):
        given_ids = torch.tensor([ids])
        out = made.model.generate(
            input_ids=given_ids,
            attention_mask=torch.ones_like(given_ids),
            max_new_tokens=12,
            do_sample=False,
            pad_token_id=1,
        )
        said.append(made.tokenizer.decode(out[0, len(ids) :], skip_special_tokens=True))
    return said


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_batches_say_what_each_prompt_alone_says(tiny, batch_size):
    made = generator(tiny, batch_size)
    expected = alone(made)
    assert texts(made) == expected
    assert len(set(expected)) > 5, "the model must tell prompts apart for this to mean anything"


def test_sliding_attention_is_decoded_too(tiny, tiny_sliding):
    expected = alone(generator(tiny_sliding))
    assert expected != alone(generator(tiny)), "the window must matter"
    assert texts(generator(tiny_sliding, 4)) == texts(generator(tiny_sliding, 64)) == expected


def test_only_new_tokens_are_said_and_counted(tiny):
    made = generator(tiny)
    for at, text, usage in made.generate(PROMPTS, Sampling(max_new_tokens=5)):
        assert usage.prompt_tokens == len(PROMPTS[at].split())
        assert len(text.split()) <= usage.new_tokens <= 5  # special tokens are not said
        assert not text.startswith("w1 w2")


def test_texts_end_at_the_end_token(tiny):
    made = generator(tiny)
    said = texts(made)
    first = said[0].split()[0]
    token = made.tokenizer.convert_tokens_to_ids(first)
    made.decoder = BatchDecoder(made.model, frozenset({token, 1}), 0)
    ended = texts(made)
    assert ended[0] == "" and all(first not in text.split() for text in ended)
    assert [full.split()[: len(cut.split())] for full, cut in zip(said, ended, strict=True)] == [
        t.split() for t in ended
    ]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prompts=st.lists(st.lists(st.integers(0, 59), min_size=1, max_size=9), min_size=1, max_size=9),
    prefix=st.integers(0, 12),
    batch_size=st.integers(1, 10),
)
def test_order_and_texts_do_not_depend_on_the_batch(tiny, prompts, prefix, batch_size):
    made = _kept(tiny)
    asked = [" ".join([*(f"w{i}" for i in range(prefix)), *(f"w{i}" for i in prompt)]) for prompt in prompts]
    made.batch_size = 1
    expected = texts(made, asked)
    made.batch_size = batch_size
    assert texts(made, asked) == expected
    assert texts(made, asked[::-1]) == expected[::-1]


_made: dict[Path, TransformersGenerator] = {}


def _kept(directory: Path) -> TransformersGenerator:
    return _made.setdefault(directory, generator(directory))


def test_shared_beginning_is_read_once_and_changes_no_number(tiny):
    made = generator(tiny)
    rows = made.tokenize([f"{PREFIX} w{i} w3" for i in range(4)])
    read = []
    hook = made.model.register_forward_pre_hook(
        lambda _, __, kw: read.append(tuple(kw["input_ids"].shape)), with_kwargs=True
    )
    with torch.inference_mode():
        _, _, together = made.decoder._read(rows, 3)
        hook.remove()
        singly = torch.cat([made.model(torch.tensor([row])).logits[:, -1] for row in rows])
    assert read == [(1, 6), (4, 2)]
    torch.testing.assert_close(together, singly, rtol=1e-5, atol=1e-5)


def test_long_reads_are_split(tiny):
    made = generator(tiny)
    expected = texts(made)
    made.decoder.tokens_per_read = 5
    assert texts(made) == expected


def test_near_ties_are_settled_by_reading_the_row_alone(tiny):
    made = generator(tiny)
    with torch.no_grad():
        twins = made.model.lm_head.weight
        best = made.tokenizer.convert_tokens_to_ids(texts(made)[0].split()[0])
        twins[63] = twins[best]  # two tokens that are always equally likely: rounding alone would decide
    expected = alone(made)
    for size in (1, 3, 32):
        again = generator_of(made, size)
        assert texts(again) == expected
        assert again.decoder.n_resolved > 0


def generator_of(made: TransformersGenerator, batch_size: int) -> TransformersGenerator:
    return TransformersGenerator(made.model, made.tokenizer, made.digest, batch_size)


def test_frequency_penalty_is_subtracted_for_every_use(tiny):
    made = generator(tiny)
    (row,) = made.tokenize([PROMPTS[0]])
    tokens: list[int] = []
    for _ in range(10):
        with torch.no_grad():
            logits = made.model(torch.tensor([[*row, *tokens]])).logits[0, -1].clone()
        for token in tokens:
            logits[token] -= 3.0
        tokens.append(int(logits.argmax()))
        if tokens[-1] == 1:
            break
    expected = made.tokenizer.decode(tokens, skip_special_tokens=True)
    got = {at: t for at, t, _ in made.generate(PROMPTS, Sampling(max_new_tokens=10, frequency_penalty=3.0))}
    assert got[0] == expected


def test_stop_strings_end_texts_before_them(tiny):
    made = generator(tiny)
    full = texts(made)
    word = full[0].split()[2]
    cut = texts(made, stop=(word,))
    assert cut == [text.split(word)[0] if word in text else text for text in full]


def test_draws_follow_the_seed_and_not_the_batch(tiny):
    hot = {"temperature": 1.5, "top_p": 0.9}
    one = texts(generator(tiny, 1), seed=1, **hot)
    assert one == texts(generator(tiny, 7), seed=1, **hot)
    assert one != texts(generator(tiny, 7), seed=2, **hot)
    assert one != texts(generator(tiny))


def test_a_tiny_nucleus_is_greedy(tiny):
    assert texts(generator(tiny), temperature=1.0, top_p=1e-9) == texts(generator(tiny))


def test_draws_come_in_the_right_proportions(tiny):
    made = generator(tiny)
    (row,) = made.tokenize(["w5 w6"])
    probs = torch.softmax(made.model(torch.tensor([row])).logits[0, -1].detach(), 0)
    drawn = [
        next(iter(made.generate(["w5 w6"], Sampling(max_new_tokens=1, temperature=1.0, seed=seed)))).text
        for seed in range(300)
    ]
    best = int(probs.argmax())
    share = drawn.count(made.tokenizer.decode([best])) / 300
    expected = float(probs[best])
    assert abs(share - expected) < 4 * (expected * (1 - expected) / 300) ** 0.5


def test_chats_go_through_the_template(tiny):
    made = generator(tiny)
    (ids,) = made.tokenize([(Message("user", "w1 w2"),)])
    assert made.tokenizer.convert_ids_to_tokens(ids) == ["<user>", "w1", "w2", "<bot>"]
    made.tokenizer.chat_template = None
    (ids,) = made.tokenize([(Message("system", "w1"), Message("user", "w2"))])
    assert made.tokenizer.convert_ids_to_tokens(ids) == ["w1", "w2"]


def test_exhausted_memory_halves_the_batch_and_loses_nothing(tiny, caplog):
    made = generator(tiny, 15)
    expected = texts(made)
    sizes = []

    class Small(BatchDecoder):
        def decode(self, prompts, rules: Rules):
            sizes.append(len(prompts))
            for done, finished in enumerate(super().decode(prompts, rules)):
                if len(prompts) > 4 and done == 2:
                    raise torch.OutOfMemoryError("CUDA out of memory")
                yield finished

    made.decoder = Small(made.model, made.decoder.end_tokens, made.decoder.pad_token)
    with caplog.at_level(logging.WARNING):
        assert texts(made) == expected
    assert max(sizes) > 4 and made.batch_size <= 4 and "going on with" in caplog.text


def test_one_prompt_that_fits_nowhere_is_told(tiny):
    made = generator(tiny)

    class Never(BatchDecoder):
        def decode(self, prompts, rules):
            raise torch.OutOfMemoryError("CUDA out of memory")
            yield

    made.decoder = Never(made.model, frozenset({1}), 1)
    with pytest.raises(GenerationError, match="one prompt of 9 tokens alone does not fit"):
        texts(made, PROMPTS[:1])


@pytest.mark.parametrize(
    ("prompts", "words"),
    [([""], "prompt 0 is empty"), (["w1", "w1 " * 120], r"prompt 1 has 120 tokens; .* over the model's 128")],
)
def test_prompts_that_cannot_be_read_are_refused(tiny, prompts, words):
    with pytest.raises(GenerationError, match=words):
        texts(generator(tiny), prompts)


def test_no_prompts_no_texts(tiny):
    assert texts(generator(tiny), []) == []


def test_identity_tells_number_formats_apart(tiny):
    wide = generator(tiny)
    narrow = TransformersGenerator(*load(tiny, "bfloat16", "cpu"), "digest")
    assert wide.identity.dtype == "float32" and narrow.identity.dtype == "bfloat16"
    assert not narrow.decoder.resolve_ties
    assert len(texts(narrow)) == len(PROMPTS)
    assert isinstance(native_bfloat16("cpu"), bool)


def test_shared_prefix_leaves_every_row_a_token():
    assert shared_prefix([[1, 2, 3], [1, 2, 4, 5]]) == 2
    assert shared_prefix([[1, 2], [1, 2, 4, 5]]) == 1
    assert shared_prefix([[1, 2], [1, 2]]) == 1
    assert shared_prefix([[1, 2]]) == 0
    assert shared_prefix([[1], [2]]) == 0


@pytest.mark.weights
def test_real_weights_say_the_same_in_batches_and_alone(smollm_dir: Path):
    made = generator(smollm_dir)
    template = film_template("film-examples/1")
    films = ["Toy Story (1995)", "The Godfather (1972)", "Alien (1979)"]
    prompts = [template.render(film, keyword) for film in films for keyword in (None, "romance", "war")]
    expected = alone(made, prompts)
    assert texts(made, prompts) == expected
    assert len(set(expected)) == len(expected)
    assert all(
        "romance" in text.lower() or "love" in text.lower() or "romantic" in text.lower() for text in expected[1::3]
    )
