"""What determines the MovieLens tables."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

Compat = Literal["movielens_thresholds"]


class MovieLensConfig(BaseModel):
    """From ratings to binary rewards, a k-core and balanced users. The defaults are the paper's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    positive_min: float = Field(default=5.0, ge=0.5, le=5.0, description="Ratings from here on are reward 1.")
    negative_max: float = Field(
        default=3.0, ge=0.5, le=5.0, description="Ratings up to here are reward 0; those between are dropped."
    )
    min_positive: int = Field(
        default=10, ge=0, description="Positives every user and every film of the k-core has at least."
    )
    min_negative: int = Field(
        default=10, ge=0, description="Negatives every user and every film of the k-core has at least."
    )
    balance: bool = Field(default=True, description="Keep as many positives as negatives of each user.")
    seed: int = Field(default=12345, ge=0, lt=2**63, description="Chooses which of the more frequent kind are kept.")
    compat: frozenset[Compat] = Field(
        default=frozenset(),
        description="`movielens_thresholds`: the reference drops ratings of exactly 4 and rewards exactly 5, whatever the bounds.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.negative_max >= self.positive_min:
            raise ValueError(
                f"negative_max ({self.negative_max}) must be below positive_min ({self.positive_min}): "
                "a rating cannot be both liked and disliked"
            )
        return self

    @field_serializer("compat")
    def _sorted(self, names: frozenset[Compat]) -> list[Compat]:
        # A set's order differs from process to process, and this text is hashed.
        return sorted(names)
