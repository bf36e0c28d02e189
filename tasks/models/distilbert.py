"""DistilBERT with real weights, out of a BERT of as many layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transformers import BertModel, DistilBertConfig, DistilBertModel

from tasks.models.errors import ModelError
from tasks.models.load import check_model_dir, load_encoder

if TYPE_CHECKING:
    import torch

_LAYER = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def distilbert_from_bert(model_dir: Path) -> DistilBertModel:
    """The DistilBERT whose hidden states equal those of the BERT in `model_dir` (to float32 rounding).

    DistilBERT is BERT without segments and pooler (Sanh et al. 2019): the embedding of segment 0, which BERT adds to
    every token of a single text, moves into the position embeddings; the rest only changes names.

    Raises:
        ModelError: no BERT, or one that DistilBERT cannot express.
    """
    config = check_model_dir(model_dir)
    if config.get("model_type") != "bert":
        raise ModelError(f"{model_dir} holds a {config.get('model_type')} model; a DistilBERT is made from a bert")
    bert = load_encoder(model_dir)
    assert isinstance(bert, BertModel)
    if float(bert.config.layer_norm_eps) != 1e-12:  # fixed in DistilBERT's code
        raise ModelError(f"{model_dir} has layer_norm_eps {bert.config.layer_norm_eps}; DistilBERT's is 1e-12")
    model = DistilBertModel(
        DistilBertConfig(
            vocab_size=bert.config.vocab_size,
            max_position_embeddings=bert.config.max_position_embeddings,
            dim=bert.config.hidden_size,
            n_layers=bert.config.num_hidden_layers,
            n_heads=bert.config.num_attention_heads,
            hidden_dim=bert.config.intermediate_size,
            activation=bert.config.hidden_act,
            dropout=bert.config.hidden_dropout_prob,
            attention_dropout=bert.config.attention_probs_dropout_prob,
            pad_token_id=bert.config.pad_token_id,
        )
    )
    model.load_state_dict(_rename(bert.state_dict(), bert.config.num_hidden_layers), strict=True)
    return model.eval()


def _rename(bert: dict[str, torch.Tensor], n_layers: int) -> dict[str, torch.Tensor]:
    """BERT's tensors under DistilBERT's names."""
    segment = bert["embeddings.token_type_embeddings.weight"][0]
    state = {
        "embeddings.word_embeddings.weight": bert["embeddings.word_embeddings.weight"],
        "embeddings.position_embeddings.weight": bert["embeddings.position_embeddings.weight"] + segment,
        "embeddings.LayerNorm.weight": bert["embeddings.LayerNorm.weight"],
        "embeddings.LayerNorm.bias": bert["embeddings.LayerNorm.bias"],
    }
    for layer in range(n_layers):
        for theirs, ours in _LAYER.items():
            for kind in ("weight", "bias"):
                state[f"transformer.layer.{layer}.{ours}.{kind}"] = bert[f"encoder.layer.{layer}.{theirs}.{kind}"]
    return state
