"""Base class and number types of all settings: strict, frozen, bounded."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["Count", "Decay", "Limit", "Name", "Positive", "Share", "StrictSettings"]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Limit = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]


class StrictSettings(BaseModel):
    """Base class of all tables: immutable, strict (no text for a number), no unknown keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)

    @field_validator("*", mode="before")
    @classmethod
    def _lists_are_tuples(cls, value: Any) -> Any:
        """Convert TOML's lists to tuples, as settings are immutable."""
        return tuple(value) if isinstance(value, list) else value
