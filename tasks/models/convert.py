"""Turns a GGUF file of a LLaMA model into a plain Hugging Face model directory: safetensors, tokenizer, configurations.

Storage is float16: for SmolLM2-135M (4-bit and 8-bit blocks with float16 scales) its largest change of a logit is 0.04,
against 0.22 for bfloat16 of the same 269 MB, and 0 for float32 of 538 MB. `config.json` says float32, so that a plain
`from_pretrained(dir)` computes in float32 and nobody trains in float16 by accident.

The files are written from the GGUF's own fields, without transformers: its reader takes a minute where this takes
seconds, drops the tokenizer's rule for digits, and stamps its version into the files. Two runs write the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file

from tasks.models.errors import ModelError

if TYPE_CHECKING:
    from gguf import ReaderTensor

Weights = npt.NDArray[np.floating]

_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_CONTROL = 3  # GGUF's token type of special tokens
_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_PRE_TOKENIZERS = {
    "gpt-2": _BYTE_LEVEL,
    "smollm": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, _BYTE_LEVEL]},
}


def gguf_to_safetensors(gguf: Path, directory: Path, storage: npt.DTypeLike = np.float16) -> None:
    """Writes the model in `gguf` to `directory`, which `transformers` then loads without knowing of GGUF.

    Args:
        gguf: a GGUF file of a LLaMA model with a byte-level BPE tokenizer.
        directory: made when missing.
        storage: float16 or float32, how the weights are stored.

    Raises:
        ModelError: no such model, or a weight that does not fit the storage type.
    """
    if not gguf.is_file():
        raise ModelError(f"{gguf}: no such GGUF file")
    try:
        reader = GGUFReader(gguf)
    except ValueError as error:
        raise ModelError(f"{gguf} is not a GGUF file ({error})") from None
    fields = _Fields(reader, gguf)
    weights = {name: _cast(name, value, storage) for name, value in _weights(reader, fields)}
    directory.mkdir(parents=True, exist_ok=True)
    save_file(dict(sorted(weights.items())), directory / "model.safetensors", metadata={"format": "pt"})
    (directory / "model.safetensors").chmod(0o644)
    _write(directory / "config.json", _config(fields, tied="lm_head.weight" not in weights))
    _write(directory / "generation_config.json", _special_ids(fields))
    _write(directory / "tokenizer.json", _tokenizer(fields))
    _write(directory / "tokenizer_config.json", _tokenizer_config(fields))
    if template := fields.text("tokenizer.chat_template", ""):
        (directory / "chat_template.jinja").write_text(template, encoding="utf-8")


class _Fields:
    """The metadata of a GGUF file, checked to be of a kind that is understood here."""

    def __init__(self, reader: GGUFReader, path: Path) -> None:
        self._reader, self._path = reader, path
        for name, known in (
            ("general.architecture", {"llama"}),
            ("tokenizer.ggml.model", {"gpt2"}),
            ("tokenizer.ggml.pre", set(_PRE_TOKENIZERS)),
        ):
            if (value := self.text(name)) not in known:
                raise ModelError(f"{path} has {name} {value!r}; only {', '.join(sorted(known))} is understood")

    def get(self, name: str) -> object:
        field = self._reader.get_field(name)
        return None if field is None else field.contents()

    def text(self, name: str, default: str | None = None) -> str:
        value = self.get(name)
        if value is None and default is None:
            raise ModelError(f"{self._path} has no field {name}")
        return str(default if value is None else value)

    def number(self, name: str) -> float:
        value = self.get(name)
        if not isinstance(value, int | float):
            raise ModelError(f"{self._path} has no number in the field {name}")
        return value

    def items(self, name: str) -> list[object]:
        value = self.get(name)
        if not isinstance(value, list):
            raise ModelError(f"{self._path} has no list in the field {name}")
        return value


def _weights(reader: GGUFReader, fields: _Fields) -> Iterator[tuple[str, Weights]]:
    """Every tensor under the name that transformers gives it."""
    heads = {
        "attn_q": int(fields.number("llama.attention.head_count")),
        "attn_k": int(fields.number("llama.attention.head_count_kv")),
    }
    for tensor in reader.tensors:
        name, kind = _rename(tensor)
        value: Weights = dequantize(tensor.data, tensor.tensor_type)
        yield name, _interleave_back(value, heads[kind]) if kind in heads else value


def _rename(tensor: ReaderTensor) -> tuple[str, str]:
    """The new name, and which kind of tensor it is: `blk.3.attn_q.weight` is the `attn_q` of layer 3."""
    parts = str(tensor.name).split(".")
    if parts[0] == "blk" and len(parts) == 4 and parts[2] in _BLOCK:
        return f"model.layers.{parts[1]}.{_BLOCK[parts[2]]}.{parts[3]}", parts[2]
    if len(parts) == 2 and parts[0] in _TOP:
        return f"{_TOP[parts[0]]}.{parts[1]}", parts[0]
    raise ModelError(f"the GGUF has a tensor {tensor.name}, which a LLaMA model has not")


def _interleave_back(value: Weights, n_heads: int) -> Weights:
    """Undoes GGUF's order of query and key rows: it pairs the two halves of a head, transformers keeps them apart.

    Args:
        value: (n_heads * head_dim, hidden).
    """
    rows, hidden = value.shape
    return value.reshape(n_heads, rows // n_heads // 2, 2, hidden).swapaxes(1, 2).reshape(rows, hidden)


def _cast(name: str, value: Weights, storage: npt.DTypeLike) -> Weights:
    with np.errstate(over="ignore"):
        cast: Weights = np.ascontiguousarray(value, dtype=storage)
    if not np.isfinite(cast).all():
        raise ModelError(f"weight {name} does not fit {np.dtype(storage)}; choose another storage type")
    return cast


def _config(fields: _Fields, *, tied: bool) -> dict[str, object]:
    """`config.json` of a LlamaForCausalLM."""
    heads, hidden = fields.number("llama.attention.head_count"), fields.number("llama.embedding_length")
    theta = fields.number("llama.rope.freq_base")
    return _special_ids(fields) | {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "hidden_act": "silu",
        "hidden_size": hidden,
        "intermediate_size": fields.number("llama.feed_forward_length"),
        "num_hidden_layers": fields.number("llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": fields.number("llama.attention.head_count_kv"),
        "head_dim": int(hidden // heads),
        "max_position_embeddings": fields.number("llama.context_length"),
        # GGUF keeps single precision: 9.999999747378752e-06 was 1e-05
        "rms_norm_eps": float(f"{fields.number('llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "rope_theta": theta,  # where transformers 4 looks for it, which serving images may carry
        "tie_word_embeddings": tied,
        "vocab_size": len(fields.items("tokenizer.ggml.tokens")),
    }


def _special_ids(fields: _Fields) -> dict[str, object]:
    """Ids of the tokens that begin, end and pad a text, as far as the file names them."""
    names = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    found = {ours: fields.get(f"tokenizer.ggml.{theirs}_token_id") for ours, theirs in names.items()}
    return {name: value for name, value in found.items() if value is not None}


def _tokenizer(fields: _Fields) -> dict[str, object]:
    """`tokenizer.json` of a byte-level BPE."""
    tokens = [str(token) for token in fields.items("tokenizer.ggml.tokens")]
    kinds = fields.items("tokenizer.ggml.token_type")
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": token} | plain
            for i, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
            if kind == _CONTROL
        ],
        "normalizer": None,
        "pre_tokenizer": _PRE_TOKENIZERS[fields.text("tokenizer.ggml.pre")],
        "post_processor": None,
        "decoder": _BYTE_LEVEL | {"add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [str(merge).split(" ") for merge in fields.items("tokenizer.ggml.merges")],
        },
    }


def _tokenizer_config(fields: _Fields) -> dict[str, object]:
    tokens = fields.items("tokenizer.ggml.tokens")
    names = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    special: dict[str, object] = {}
    for ours, theirs in names.items():
        token_id = fields.get(f"tokenizer.ggml.{theirs}_token_id")
        if isinstance(token_id, int):
            special[ours] = tokens[token_id]
    return special | {
        "tokenizer_class": "PreTrainedTokenizerFast",  # the class that takes tokenizer.json as it is
        "clean_up_tokenization_spaces": False,
        "model_max_length": fields.number("llama.context_length"),
    }


def _write(path: Path, values: Mapping[str, object]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
