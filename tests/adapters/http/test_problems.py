"""Errors as answers."""

from __future__ import annotations

import json
import logging

import pytest

from tiepoint.errors import StoreError, StoreOwnedError
from tiepoint_adapters.http.problems import answer


@pytest.mark.parametrize("kind", [StoreError, StoreOwnedError])
def test_where_the_store_is_stands_in_the_log_and_not_in_the_answer(kind, caplog):
    error = kind("the disk is full", where="/srv/tiepoint/store", hint="Make room.")
    with caplog.at_level(logging.ERROR):
        response = answer(error)
    told = json.loads(response.body)
    assert response.status_code == 503
    assert told["detail"] == "the disk is full"
    assert told["hint"] == "Make room."
    assert "/srv" not in response.body.decode()
    assert "/srv/tiepoint/store" in caplog.text
