from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TICKETS_", protected_namespaces=())

    model_path: str = "data/topics.joblib"
    min_confidence: float = 0.55
    api_prefix: str = "/v1"


settings = Settings()
