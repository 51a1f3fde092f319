"""Asks a language model. The only file that talks to one.

Anything that speaks the OpenAI protocol will do, with any name of a model; LlamaIndex carries the
messages. Whatever goes wrong becomes ModelUnavailable with one line that says what, and TooLong
where fewer passages would help. The key is in no line, no trace and no log.
"""

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from random import uniform
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from rag.errors import ModelUnavailable
from rag.prompts import Message
from rag.settings import Settings

if TYPE_CHECKING:
    import httpx
    from llama_index.llms.openai_like import OpenAILike

OPENAI = "https://api.openai.com/v1"
ATTEMPTS = 3
BACKOFF = 0.5  # seconds, doubled with every attempt
LONGEST_WAIT = 20.0
CONNECT = 10.0


class TooLong(Exception):
    """The prompt is longer than the model's context."""


@dataclass(slots=True)
class Usage:
    """What one reply took, as the server says; 0 where it does not."""

    into: int = 0
    out: int = 0
    finish: str | None = None
    attempts: list[str] = field(default_factory=list)


class Chat:
    """The model that the settings name. Safe to share between threads."""

    def __init__(self, settings: Settings, timeout: float) -> None:
        """`timeout`: the seconds that the model may be silent, before its reply and in it."""
        self._settings = settings
        self._timeout = timeout
        self._unwanted: set[str] = set()
        self._here = threading.local()

    def warm(self) -> None:
        """Loads what takes long to load."""
        if self._settings.uses_model:
            _ = self._llm

    def ask(
        self, messages: Sequence[Message], usage: Usage, attempts: int = ATTEMPTS
    ) -> Iterator[str]:
        """The pieces of the reply. Tries again where it helps; raises ModelUnavailable, TooLong."""
        tried = 0
        while True:
            begun = False
            try:
                for piece in self._pieces(messages, usage):
                    begun = True
                    yield piece
                return
            except Exception as error:  # every failure of client and connection ends here
                failure = _failure(error)
                if failure is None:
                    raise
                usage.attempts.append(self._redacted(failure.why))
                if not begun and failure.unwanted and failure.unwanted not in self._unwanted:
                    self._unwanted.add(failure.unwanted)
                    continue
                if failure.too_long and not begun:
                    raise TooLong from error
                tried += 1
                wait = failure.wait if failure.wait is not None else _backoff(tried)
                if begun or not failure.passing or tried >= attempts or wait > LONGEST_WAIT:
                    raise self.unavailable(failure.why) from error
            time.sleep(wait)

    def unavailable(self, why: str) -> ModelUnavailable:
        """The error with one line that names the model and what is wrong."""
        return ModelUnavailable(self._line(why))

    @cached_property
    def _llm(self) -> "OpenAILike":
        from llama_index.llms.openai_like import OpenAILike
        from openai import DefaultHttpxClient

        if not (self._settings.api_key or self._settings.base_url):
            raise ModelUnavailable(
                "OPENAI_API_KEY is not set: set it, or OPENAI_BASE_URL for a model of your own"
            )
        try:
            return OpenAILike(
                model=self._settings.model,
                api_base=self._settings.base_url or OPENAI,
                api_key=self._settings.api_key or "none",  # the client insists on one
                is_chat_model=True,
                is_function_calling_model=False,
                context_window=128_000,
                max_retries=0,
                timeout=self._timeout,
                temperature=0.1,
                http_client=DefaultHttpxClient(event_hooks={"response": [self._opened]}),
            )
        except ValueError as error:
            raise self.unavailable(str(error)) from error

    def _pieces(self, messages: Sequence[Message], usage: Usage) -> Iterator[str]:
        """One request. A server that does not know a parameter is asked without it."""
        from llama_index.core.llms import ChatMessage
        from openai import Timeout

        options: dict[str, Any] = {"timeout": Timeout(self._timeout, connect=CONNECT)}
        if "stream_options" not in self._unwanted:
            options["stream_options"] = {"include_usage": True}
        if "temperature" in self._unwanted:
            options["temperature"] = 1.0
        chat = [ChatMessage(role=m.role, content=m.content) for m in messages]
        replies = self._llm.stream_chat(chat, **options)
        response: httpx.Response | None = None
        try:
            for reply in replies:
                # The first piece is fetched where the response was opened; later ones may not be.
                if response is None:
                    response = self._here.response
                counted = reply.additional_kwargs
                usage.into = counted.get("prompt_tokens") or usage.into
                usage.out = counted.get("completion_tokens") or usage.out
                for choice in getattr(reply.raw, "choices", None) or ():
                    usage.finish = choice.finish_reason or usage.finish
                if reply.delta:
                    yield reply.delta
        finally:
            # LlamaIndex would leave the response open until it is garbage.
            if response is not None:
                response.close()
            replies.close()

    def _opened(self, response: "httpx.Response") -> None:
        self._here.response = response

    def _line(self, why: str) -> str:
        """One line that names the model and what is wrong, without the key."""
        where = _place(self._settings.base_url) if self._settings.base_url else "OpenAI"
        return self._redacted(f"{self._settings.model} at {where}: {why}")

    def _redacted(self, text: str) -> str:
        line = " ".join(text.split())
        if self._settings.api_key:
            line = line.replace(self._settings.api_key, "***")
        return re.sub(r"\b(?:sk|pk|key)-[\w*.-]{6,}", "***", line)[:400]


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failure in our words. `passing`: worth another try, after `wait` seconds where it says."""

    why: str
    passing: bool = False
    wait: float | None = None
    too_long: bool = False
    unwanted: str = ""


_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many tokens|prompt is too long|n_ctx"
    r"|exceeds? (?:the )?(?:available |model'?s? )?(?:context|maximum)|reduce the length",
    re.IGNORECASE,
)


def _failure(error: Exception) -> _Failure | None:
    """What went wrong; None where it is no failure of the model but ours."""
    import httpx
    import openai

    said = str(getattr(error, "message", "") or error) or type(error).__name__
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return _Failure("it did not answer in time", passing=isinstance(error, openai.OpenAIError))
    if isinstance(error, openai.APIConnectionError):
        return _Failure("it cannot be reached: is the address right, is it running?", passing=True)
    if isinstance(error, httpx.HTTPError):
        return _Failure("the connection was cut", passing=True)
    if isinstance(error, openai.APIStatusError):
        return _refused(error.status_code, said, error.response.headers)
    if isinstance(error, openai.APIError | json.JSONDecodeError | AttributeError | TypeError):
        return _Failure(
            f"its reply cannot be read: {said[:200]}", too_long=bool(_TOO_LONG.search(said))
        )
    return None


def _refused(status: int, said: str, headers: Mapping[str, str]) -> _Failure:
    """An answer with a status of 400 or more."""
    if status in (400, 413, 422):
        for parameter in ("stream_options", "temperature"):
            if parameter in said:
                return _Failure(f"it does not take {parameter}", unwanted=parameter)
        return _Failure(
            f"it refused the request: {said[:200]}", too_long=bool(_TOO_LONG.search(said))
        )
    if status in (401, 403):
        return _Failure("the key was refused: check OPENAI_API_KEY")
    if status == 404:
        return _Failure(
            "there is no such model or address: check FOOTNOTE_MODEL and OPENAI_BASE_URL"
        )
    if status == 429:
        if "insufficient_quota" in said or "exceeded your current quota" in said:
            return _Failure("the account has no credit left")
        return _Failure("too many requests", passing=True, wait=_retry_after(headers))
    if status >= 500:
        return _Failure(f"it failed with status {status}", passing=True, wait=_retry_after(headers))
    return _Failure(f"it answered with status {status}: {said[:200]}", passing=status in (408, 409))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks to wait; None where it does not say."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _backoff(tried: int) -> float:
    # Not for secrets: the jitter keeps clients from coming back all at once.
    return BACKOFF * float(2 ** (tried - 1)) * uniform(0.75, 1.25)  # noqa: S311


def _place(url: str) -> str:
    """The address without a user or a password in it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, host + port, parts.path, "", ""))
