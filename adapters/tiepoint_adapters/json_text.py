"""JSON from a user's files: every way in which it can be wrong is one kind of error."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str) -> Any:
    r"""Return the value that a JSON text stands for.

    Raises:
        ValueError: It is not valid JSON, is nested too deeply, has a number of thousands of
            digits, or half of a surrogate pair (`\ud800`), which no UTF-8 text can hold.

    >>> parse_json('{"a": 1}')
    {'a': 1}
    """
    try:
        value = json.loads(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value
