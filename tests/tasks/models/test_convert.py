"""The conversion of a GGUF: a made one of two layers against the model it was written from, and the real one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter, quantize
from transformers import LlamaConfig, LlamaForCausalLM

from tasks.models.convert import gguf_to_safetensors
from tasks.models.errors import ModelError
from tasks.models.load import load_causal_lm, load_tokenizer

TOKENS = ["<eos>", "<bos>", *(chr(code) for code in range(33, 127)), "Ġ", "th", "the", "ĠĠ"]
MERGES = ["t h", "th e", "Ġ Ġ"]


def interleave(value: np.ndarray, heads: int) -> np.ndarray:
    """GGUF's order of query and key rows, by its definition: row i and row i + head_dim / 2 of a head become neighbours."""
    rows = value.reshape(heads, -1, value.shape[1])
    half = rows.shape[1] // 2
    return np.stack([np.stack([head[i // 2 + (i % 2) * half] for i in range(2 * half)]) for head in rows]).reshape(
        value.shape
    )


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(TOKENS),
            hidden_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=96,
            max_position_embeddings=128,
            rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            initializer_range=0.2,
        )
        return LlamaForCausalLM(config).eval()


def write_gguf(
    path: Path, model: LlamaForCausalLM, *, pre: str = "smollm", quantised: bool = False, extra: str = ""
) -> Path:
    writer = GGUFWriter(path, "llama")
    config = model.config
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(50000.0)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, *[1] * (len(TOKENS) - 2)])
    writer.add_token_merges(MERGES)
    writer.add_eos_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"}
    names |= {"self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up"}
    names |= {"mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
    for name, value in state.items():
        if "q_proj" in name or "k_proj" in name:
            value = interleave(value, config.num_attention_heads if "q_proj" in name else config.num_key_value_heads)
        theirs = name.replace("model.embed_tokens", "token_embd").replace("model.norm", "output_norm")
        theirs = theirs.replace("model.layers.", "blk.")
        for ours, short in names.items():
            theirs = theirs.replace(ours, short)
        if quantised and value.ndim == 2:
            kind = GGMLQuantizationType.Q8_0
            writer.add_tensor(theirs, quantize(value, kind), raw_dtype=kind)
        else:
            writer.add_tensor(theirs, value)
    if extra:
        writer.add_tensor(extra, np.zeros(4, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=torch.arange(40).unsqueeze(0)).logits


def test_unquantised_weights_come_back_to_the_bit(model: LlamaForCausalLM, tmp_path: Path) -> None:
    gguf_to_safetensors(write_gguf(tmp_path / "m.gguf", model), tmp_path / "out", storage=np.float32)
    back = load_causal_lm(tmp_path / "out")
    state = back.state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(state[name], tensor), name
    torch.testing.assert_close(logits(back), logits(model), rtol=0, atol=0)
    assert back.config.rope_parameters["rope_theta"] == 50000.0
    assert back.config.rms_norm_eps == 1e-5
    assert back.config.tie_word_embeddings
    assert (back.config.bos_token_id, back.config.eos_token_id) == (1, 0)


def test_quantised_weights_are_near(model: LlamaForCausalLM, tmp_path: Path) -> None:
    gguf_to_safetensors(write_gguf(tmp_path / "m.gguf", model, quantised=True), tmp_path / "out")
    back = load_causal_lm(tmp_path / "out")
    assert back.dtype == torch.float32  # stored in half of it
    torch.testing.assert_close(logits(back), logits(model), rtol=0, atol=0.5)
    assert not torch.equal(logits(back), logits(model))


def test_two_runs_write_the_same_bytes(model: LlamaForCausalLM, tmp_path: Path) -> None:
    gguf = write_gguf(tmp_path / "m.gguf", model)
    for name in ("a", "b"):
        gguf_to_safetensors(gguf, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert "model.safetensors" in files
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_tokenizer_cuts_digits_and_keeps_the_template(model: LlamaForCausalLM, tmp_path: Path) -> None:
    gguf_to_safetensors(write_gguf(tmp_path / "m.gguf", model), tmp_path / "smollm")
    gguf_to_safetensors(write_gguf(tmp_path / "n.gguf", model, pre="gpt-2"), tmp_path / "gpt2")
    text = "the  7"
    smollm, gpt2 = load_tokenizer(tmp_path / "smollm"), load_tokenizer(tmp_path / "gpt2")
    assert smollm.tokenize(text) == ["the", "ĠĠ", "7"]
    assert gpt2.tokenize(text) == ["the", "Ġ", "Ġ", "7"]
    assert smollm.decode(smollm(text)["input_ids"]) == text
    assert smollm.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "hi"
    assert smollm.model_max_length == 128
    assert smollm.eos_token == "<eos>"


def test_weight_beyond_half_precision_is_refused(model: LlamaForCausalLM, tmp_path: Path) -> None:
    big = LlamaForCausalLM(model.config)
    with torch.no_grad():
        big.model.norm.weight[0] = 1e6
    with pytest.raises(ModelError, match=r"model\.norm\.weight does not fit float16"):
        gguf_to_safetensors(write_gguf(tmp_path / "m.gguf", big), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_not_understood_is_refused(model: LlamaForCausalLM, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such GGUF"):
        gguf_to_safetensors(tmp_path / "absent.gguf", tmp_path / "out")
    (tmp_path / "bad.gguf").write_bytes(b"not a model at all, but long enough to hold a header")
    with pytest.raises(ModelError, match="is not a GGUF file"):
        gguf_to_safetensors(tmp_path / "bad.gguf", tmp_path / "out")
    with pytest.raises(ModelError, match="only gpt-2, smollm is understood"):
        gguf_to_safetensors(write_gguf(tmp_path / "t.gguf", model, pre="tekken"), tmp_path / "out")
    with pytest.raises(ModelError, match="a LLaMA model has not"):
        gguf_to_safetensors(write_gguf(tmp_path / "e.gguf", model, extra="blk.0.attn_q_norm.weight"), tmp_path / "out")


@pytest.mark.weights
def test_real_model_knows_the_capital(smollm_dir: Path) -> None:
    assert sorted(path.name for path in smollm_dir.iterdir()) == [
        "LICENSE",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "licence.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    model, tokenizer = load_causal_lm(smollm_dir), load_tokenizer(smollm_dir)
    batch = tokenizer("The capital of France is", return_tensors="pt")
    out = model.generate(**batch, max_new_tokens=2, do_sample=False)
    assert tokenizer.decode(out[0], skip_special_tokens=True).endswith("is Paris.")


@pytest.mark.weights
def test_real_model_is_the_same_on_every_machine(smollm_dir: Path) -> None:
    digest = hashlib.sha256((smollm_dir / "model.safetensors").read_bytes()).hexdigest()
    assert digest == GOLDEN


GOLDEN = "d8d8571b3af99053c8ad455ce009d8479eec5da515f80a417c075d0a7f317904"
