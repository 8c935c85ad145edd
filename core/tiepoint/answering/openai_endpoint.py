"""Answers from an endpoint that speaks OpenAI's chat completions."""

from __future__ import annotations

import json
import os
import time
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from tiepoint.answering.base import Answerer, Prompt
from tiepoint.errors import AnswerError, ConfigError

_MOST_BYTES = 4 << 20


class OpenAIAnswerer(Answerer):
    """Any server with `POST <url>/chat/completions`, near or far.

    Args:
        url: Up to and without `/chat/completions`, such as `http://localhost:8000/v1`.
        model: The model's name there.
        key_env: The environment variable that holds the key; none is sent where it is not set.
        timeout_s: How long an answer may take, in seconds.
        max_tokens: How long an answer may be, in tokens.

    Raises:
        ConfigError: The URL is none of HTTP, or carries a password.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key_env: str = "OPENAI_API_KEY",
        timeout_s: Annotated[float, Field(gt=0, le=3600)] = 30.0,
        max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 512,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.password:
            raise ConfigError(
                "the endpoint is no http or https URL without a password",
                where="answer.url",
                hint="Write it like http://localhost:8000/v1, and give a key by `key_env`.",
            )
        self.url = url.rstrip("/")
        self.model = model
        self.key_env = key_env
        self.timeout_s = timeout_s
        self.max_tokens = max_tokens

    def complete(self, prompt: Prompt) -> str:
        answer = self._posted(
            {
                "model": self.model,
                "messages": [
                    {"role": "system", "content": prompt.system},
                    {"role": "user", "content": prompt.user},
                ],
                "max_tokens": self.max_tokens,
                "temperature": 0,
            }
        )
        try:
            content = json.loads(answer)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            content = None
        if not isinstance(content, str):
            raise self._error("the endpoint's answer is no chat completion")
        return content

    def _posted(self, question: dict[str, Any]) -> bytes:
        """Return the body of the answer, which must come whole before the time is up."""
        import httpx2

        key = os.environ.get(self.key_env)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        deadline = time.monotonic() + self.timeout_s
        body = bytearray()
        try:
            with (
                httpx2.Client(timeout=self.timeout_s) as client,
                client.stream(
                    "POST", f"{self.url}/chat/completions", json=question, headers=headers
                ) as response,
            ):
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > deadline:
                        raise self._error(f"the endpoint took more than {self.timeout_s:g} s")
                    if len(body) > _MOST_BYTES:
                        raise self._error("the endpoint's answer is too long")
        except httpx2.TimeoutException as error:
            raise self._error(f"the endpoint took more than {self.timeout_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._error(f"the endpoint cannot be reached ({type(error).__name__})") from error
        if response.status_code != httpx2.codes.OK:
            raise self._error(
                f"the endpoint refuses with status {response.status_code}"
                + (f"; the key comes from {self.key_env}" if response.status_code == 401 else "")
            )
        return bytes(body)

    def _error(self, what: str) -> AnswerError:
        return AnswerError(what, where=self.url, hint="Check `answer` in the deployment file.")
