"""What went wrong with a request to a language model, in our words."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Failure:
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


def failure_of(error: Exception) -> Failure | None:
    """What went wrong; None where it is no failure of the model but ours."""
    import httpx
    import openai

    said = str(getattr(error, "message", "") or error) or type(error).__name__
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return Failure("it did not answer in time", passing=isinstance(error, openai.OpenAIError))
    if isinstance(error, openai.APIConnectionError):
        return Failure("it cannot be reached: is the address right, is it running?", passing=True)
    if isinstance(error, httpx.HTTPError):
        return Failure("the connection was cut", passing=True)
    if isinstance(error, openai.APIStatusError):
        return _refused(error.status_code, said, error.response.headers)
    if isinstance(error, openai.APIError | json.JSONDecodeError | AttributeError | TypeError):
        return Failure(
            f"its reply cannot be read: {said[:200]}", too_long=bool(_TOO_LONG.search(said))
        )
    return None


def _refused(status: int, said: str, headers: Mapping[str, str]) -> Failure:
    """An answer with a status of 400 or more."""
    if status in (400, 413, 422):
        for parameter in ("stream_options", "temperature"):
            if parameter in said:
                return Failure(f"it does not take {parameter}", unwanted=parameter)
        return Failure(
            f"it refused the request: {said[:200]}", too_long=bool(_TOO_LONG.search(said))
        )
    if status in (401, 403):
        return Failure("the key was refused: check OPENAI_API_KEY")
    if status == 404:
        return Failure(
            "there is no such model or address: check FOOTNOTE_MODEL and OPENAI_BASE_URL"
        )
    if status == 429:
        if "insufficient_quota" in said or "exceeded your current quota" in said:
            return Failure("the account has no credit left")
        return Failure("too many requests", passing=True, wait=_retry_after(headers))
    if status >= 500:
        return Failure(f"it failed with status {status}", passing=True, wait=_retry_after(headers))
    return Failure(f"it answered with status {status}: {said[:200]}", passing=status in (408, 409))


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
