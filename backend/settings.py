"""What a person sets: command line over environment (SOCIALITE_...) over defaults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import platformdirs
from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "SOCIALITE_"


class SettingsError(Exception):
    """A setting cannot be used; the message names it and says what it must be, but never repeats its value."""


def seconds(value: Any) -> Any:
    """'90', '90s', '30m', '6h' or '2d' as seconds, 'never' as 0; anything else is left to be refused."""
    if str(value).strip().lower() == "never":
        return 0.0
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", str(value))
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]] if found else value


class Settings(BaseSettings):
    """Every setting, from the environment unless given. Secrets do not show when settings are printed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
        protected_namespaces=(),
    )

    home: Path = Field(default_factory=lambda: platformdirs.user_data_path("socialite", appauthor=False))
    database_url: str = Field(default="", repr=False)  # may hold a password
    host: str = "127.0.0.1"
    port: int = Field(default=9090, ge=0, le=65535)  # 0: any free one
    allowed_hosts: Annotated[
        tuple[str, ...], NoDecode
    ] = ()  # names this server is called by, besides loopback and its addresses
    basic_user: str = ""
    basic_password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    body_limit: int = Field(default=64 * 1024 * 1024, ge=1024)  # bytes
    predict_deadline: float = Field(default=20.0, gt=0, le=100)  # seconds; Label Studio hangs up after 100
    engine: Literal["auto", "encoder", "keyword", "causal", "remote"] = "auto"
    model: str = ""  # a model's id or folder; empty: the engine's own
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    instructions: Literal["ours", "authors"] = "ours"  # whose wording a causal model is asked in
    method: Literal["label", "choice"] = "label"  # how labels of several tokens are scored
    four_bit: bool = False
    shots: int = Field(default=0, ge=0, le=100)  # the codebook's examples of each label that a prompt shows
    verbalisers: Literal["auto", "on", "off"] = (
        "auto"  # words that SOCIALITE's weights learned for labels; auto: theirs
    )
    remote_url: str = ""  # of a server that speaks vLLM's protocol
    remote_model: str = ""  # what that server calls the model; empty: as `model`
    remote_key: SecretStr = SecretStr("")
    retrain_every: Annotated[float, BeforeValidator(seconds)] = 0.0  # between two runs of `serve`'s own; 0: never
    sync_every: Annotated[float, BeforeValidator(seconds)] = (
        3600.0  # between two comparisons with Label Studio; 0: never
    )
    min_new: int = Field(default=50, ge=1)  # texts coded since the last run, before the next
    encoder_tuner: Literal["auto", "head", "lora"] = "auto"  # what of the encoder is tuned
    train_on_shares: bool = False  # on the shares of the coders who gave each label, instead of the accepted one
    push_after_promotion: bool = True  # whether the new release's suggestions are pushed by themselves
    keep_adapters: int = Field(default=5, ge=1)  # newest ones whose files stay
    cache: Path = Field(default_factory=lambda: platformdirs.user_cache_path("socialite", appauthor=False))
    label_studio_url: str = Field(
        default="", validation_alias=AliasChoices("SOCIALITE_LABEL_STUDIO_URL", "LABEL_STUDIO_URL")
    )
    label_studio_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("SOCIALITE_LABEL_STUDIO_API_KEY", "LABEL_STUDIO_API_KEY")
    )

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        """A comma-separated text from the environment; lower case, without ports left to the caller."""
        names = value.split(",") if isinstance(value, str) else value
        return tuple(str(name).strip().lower() for name in names if str(name).strip())

    @field_validator("home", "cache", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.basic_user) != bool(self.basic_password.get_secret_value()):
            raise ValueError("SOCIALITE_BASIC_USER and SOCIALITE_BASIC_PASSWORD belong together: set both, or neither")
        if ":" in self.basic_user:
            raise ValueError("SOCIALITE_BASIC_USER may not hold a colon")
        if not self.database_url:
            from db.store import sqlite_url  # the store's libraries are not needed to read settings

            self.database_url = sqlite_url(self.home)
        return self

    def environment(self) -> dict[str, str]:
        """These settings as environment variables, for a child process."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        given["allowed_hosts"] = ",".join(self.allowed_hosts)
        return {PREFIX + name.upper(): _plain(value) for name, value in given.items()}


def load(**given: Any) -> Settings:
    """The settings in force; `given` (None: not given) goes before the environment. SettingsError names a wrong one."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(" ".join(_sentence(problem) for problem in error.errors(include_input=False))) from None


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _sentence(problem: Any) -> str:
    where = str(problem["loc"][0]) if problem["loc"] else ""
    what = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    if not where:
        return f"{what}."
    name = where if where.isupper() else PREFIX + where.upper()
    return f"{name}: {what[0].lower()}{what[1:]}."
