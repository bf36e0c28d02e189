"""The files by which offline-prompts takes custom data: their names and what is in them."""

from __future__ import annotations

INTERACTIONS_CSV = "movielens_preprocessed_data.csv"
PROMPTS_CSV = "movielens_benchmark_prompts.csv"
QUERIES_CSV = "movielens_query.csv"
COLUMNS = ("user_id", "item_id", "reward", "title", "description")
"""Of the interactions."""

EMBEDDINGS = {
    "users_cf": "movielens_naive_cf_user_embeddings",
    "users_text": "movielens_transformer_user_embeddings",
    "queries": "movielens_query_embs",
    "prompts": "movielens_prompt_embs",
}
"""What is embedded, users by either simulator -> file, without suffix."""

PCA = {kind: f"movielens_{kind}_pca_matrix" for kind in ("query", "prompt", "sentence")}
CF, TEXT = "movielens_naive_cf_params", "movielens_distilbert_reward_simulator"
VALUE, MATRIX, MEAN = "embeddings", "matrix", "mean"
"""Names of the tensors: of the one in a file of embeddings, of the two of a PCA."""
