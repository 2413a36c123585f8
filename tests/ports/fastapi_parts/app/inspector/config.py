from functools import lru_cache
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="INSPECT_")

    weights: Path = Path(__file__).parent.parent / "weights"
    min_score: float = 0.3
    max_parts: int = 6


@lru_cache
def get_settings() -> Settings:
    return Settings()
