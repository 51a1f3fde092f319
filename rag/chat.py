"""Asks a language model. The only file through which one takes part in an answer.

Anything that speaks the OpenAI protocol will do, with any name of a model; LlamaIndex carries the
messages. Whatever goes wrong becomes ModelUnavailable with one line that says what, and TooLong
where fewer passages would help. The key is in no line, no trace and no log.

Requests run in one thread of their own, so that whoever waits for a reply can go away at any time:
a request that is cancelled closes its connection at once, whatever it was waiting for.
"""

import asyncio
import atexit
import re
import threading
from collections.abc import AsyncIterator, Collection, Generator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from queue import Empty, SimpleQueue
from random import uniform
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from rag.errors import ModelUnavailable
from rag.failures import failure_of
from rag.prompts import Message
from rag.settings import Settings

if TYPE_CHECKING:
    from llama_index.llms.openai_like import OpenAILike

OPENAI = "https://api.openai.com/v1"
ATTEMPTS = 3
BACKOFF = 0.5  # seconds, doubled with every attempt
LONGEST_WAIT = 20.0
CONNECT = 10.0
ALIVE = 0.2  # seconds of silence after which an empty piece says that the wait goes on


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

    def warm(self) -> None:
        """Loads what takes long to load."""
        if self._settings.uses_model:
            _ = self._llm

    def ask(
        self, messages: Sequence[Message], usage: Usage, attempts: int = ATTEMPTS
    ) -> Generator[str, None, None]:
        """The pieces of the reply, and an empty one every `ALIVE` seconds that none has come.

        Tries again where it helps; raises ModelUnavailable, TooLong. Closing the iterator ends the
        request at once.
        """
        _ = self._llm  # it takes long to load, and the thread of the requests is everybody's
        arrived: SimpleQueue[str | Exception | None] = SimpleQueue()

        async def pump() -> None:
            try:
                async for piece in self._tried(messages, usage, attempts):
                    arrived.put(piece)
                arrived.put(None)
            except Exception as error:  # it is raised again where the pieces are read
                arrived.put(error)

        request = asyncio.run_coroutine_threadsafe(pump(), _requests())
        try:
            while True:
                try:
                    piece = arrived.get(timeout=ALIVE)
                except Empty:
                    piece = ""
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            request.cancel()

    async def _tried(
        self, messages: Sequence[Message], usage: Usage, attempts: int
    ) -> AsyncIterator[str]:
        """The pieces, of another request where one fails and another may help."""
        tried = 0
        while True:
            begun = False
            without = frozenset(self._unwanted)
            try:
                async for piece in self._pieces(messages, usage, without):
                    begun = True
                    yield piece
                return
            except Exception as error:  # every failure of client and connection ends here
                failure = failure_of(error)
                if failure is None:
                    raise
                usage.attempts.append(self._redacted(failure.why))
                if not begun and failure.unwanted and failure.unwanted not in without:
                    self._unwanted.add(failure.unwanted)
                    continue
                if failure.too_long and not begun:
                    raise TooLong from error
                tried += 1
                wait = failure.wait if failure.wait is not None else _backoff(tried)
                if begun or not failure.passing or tried >= attempts or wait > LONGEST_WAIT:
                    raise self.unavailable(failure.why) from error
            await asyncio.sleep(wait)

    def unavailable(self, why: str) -> ModelUnavailable:
        """The error with one line that names the model and what is wrong."""
        return ModelUnavailable(self._line(why))

    @cached_property
    def _llm(self) -> "OpenAILike":
        from llama_index.llms.openai_like import OpenAILike
        from openai import DefaultAsyncHttpxClient

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
                async_http_client=DefaultAsyncHttpxClient(),
            )
        except ValueError as error:
            raise self.unavailable(str(error)) from error

    async def _pieces(
        self, messages: Sequence[Message], usage: Usage, without: Collection[str]
    ) -> AsyncIterator[str]:
        """One request, `without` the parameters that the server does not take."""
        from llama_index.core.llms import ChatMessage
        from openai import Timeout

        options: dict[str, Any] = {"timeout": Timeout(self._timeout, connect=CONNECT)}
        if "stream_options" not in without:
            options["stream_options"] = {"include_usage": True}
        if "temperature" in without:
            options["temperature"] = 1.0  # the client always sends one; this is the default
        chat = [ChatMessage(role=m.role, content=m.content) for m in messages]
        async for reply in await self._llm.astream_chat(chat, **options):
            counted = reply.additional_kwargs
            usage.into = counted.get("prompt_tokens") or usage.into
            usage.out = counted.get("completion_tokens") or usage.out
            for choice in getattr(reply.raw, "choices", None) or ():
                usage.finish = choice.finish_reason or usage.finish
            if reply.delta:
                yield reply.delta

    def _line(self, why: str) -> str:
        """One line that names the model and what is wrong, without the key."""
        where = _place(self._settings.base_url) if self._settings.base_url else "OpenAI"
        return self._redacted(f"{self._settings.model} at {where}: {why}")

    def _redacted(self, text: str) -> str:
        line = " ".join(text.split())
        if self._settings.api_key:
            line = line.replace(self._settings.api_key, "***")
        return re.sub(r"\b(?:sk|pk|key)-[\w*.-]{6,}", "***", line)[:400]


@cache
def _requests() -> asyncio.AbstractEventLoop:
    """The loop that all requests run in, in a thread that ends with the process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="requests", daemon=True)
    thread.start()

    def end() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(1.0)  # a thread that is still at work when Python ends may abort the process
        if not thread.is_alive():
            loop.close()

    atexit.register(end)
    return loop


def _backoff(tried: int) -> float:
    # Not for secrets: the jitter keeps clients from coming back all at once.
    return BACKOFF * float(2 ** (tried - 1)) * uniform(0.75, 1.25)  # noqa: S311


def _place(url: str) -> str:
    """The address without a user or a password in it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, host + port, parts.path, "", ""))
