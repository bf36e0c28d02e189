"""Models for the tests: made ones of a few thousand weights, and the real small ones where packages can be had."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from store.artifact import Attempt
from store.errors import UserError
from store.sources.catalogue import find_source
from store.sources.download import sha256_of
from store.sources.package import download_package
from tasks.api import Context, Runtime
from tasks.sources.config import FetchConfig
from tasks.sources.fetch import Inputs, run

WORDS = tuple("the a movie of toy story space war love night king queen blue red green old new boy girl dog".split())  # noqa: SIM905


def real_archive(name: str, cache: pytest.Cache) -> Path:
    """The pinned archive of a source: from LAMPWORKS_WHEELS, from an earlier test run, or from the registry."""
    source = find_source(name)
    directories = [Path(os.environ["LAMPWORKS_WHEELS"])] if "LAMPWORKS_WHEELS" in os.environ else []
    kept = cache.mkdir("lampworks-wheels")
    for directory in (*directories, kept):
        path = directory / source.file
        if path.exists() and sha256_of(path) == source.sha256:
            return path
    if directories:
        pytest.skip(f"no {source.file} in {directories[0]}")
    (place,) = source.places
    try:
        return download_package(place, source.sha256, kept / name).rename(kept / source.file)  # type: ignore[arg-type]
    except UserError as error:
        pytest.skip(str(error))


def fetched(name: str, request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Path:
    """The source as the task would put it into the store."""
    archive = real_archive(name, request.config.cache)  # type: ignore[arg-type]
    root, scratch = factory.mktemp(name), factory.mktemp("scratch")
    ctx = Context(scratch, scratch, Runtime(source_file=archive), logging.getLogger("test"))
    run(FetchConfig(source=name), Inputs(), Attempt(f"sources/{name}", "0" * 16, "a", root), ctx)
    return root


@pytest.fixture(scope="session")
def minilm_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """all-MiniLM-L6-v2, as fetched."""
    return fetched("all-minilm-l6-v2", request, tmp_path_factory)


@pytest.fixture(scope="session")
def smollm_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct, as fetched and converted."""
    return fetched("smollm2-135m-instruct", request, tmp_path_factory)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights and a vocabulary of words."""
    import torch
    from transformers import BertConfig, BertModel

    directory = tmp_path_factory.mktemp("tiny-bert")
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    from transformers import BertTokenizer

    BertTokenizer(vocab={word: i for i, word in enumerate(vocab)}).save_pretrained(directory)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(vocab),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.3,
        )
        BertModel(config).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaMA of two layers with random weights; its tokenizer adds no special tokens and has none for padding."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    directory = tmp_path_factory.mktemp("tiny-llama")
    vocab = {word: i for i, word in enumerate(["<unk>", "<eos>", *WORDS])}
    backend = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="<eos>").save_pretrained(directory)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(vocab),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.3,
        )
        LlamaForCausalLM(config).save_pretrained(directory)
    return directory
