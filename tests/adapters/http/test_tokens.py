"""Tokens of an identity provider: signed, for us, and in time; nothing else."""

from __future__ import annotations

import json
import time

import pytest

from tests.adapters.http.conftest import deployment, served
from tiepoint import Host

jwt = pytest.importorskip("jwt")
pytest.importorskip("cryptography")

ISSUER = "https://login.example.org"


@pytest.fixture(scope="module")
def provider():
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def client(tmp_path, provider):
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(provider.public_key()))
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}))
    oidc = {
        "issuer": ISSUER,
        "audience": "tiepoint",
        "jwks": str(keys),
        "claim": "roles",
        "roles": {"clerk": ["search"]},
    }
    auth = {"keys": str(tmp_path / "keys.json"), "oidc": oidc}
    with served(Host(deployment(tmp_path, auth=auth))) as client:
        yield client


def token(provider, algorithm="RS256", kid="one", **changes):
    now = time.time()
    claims = {
        "iss": ISSUER,
        "aud": "tiepoint",
        "sub": "ann",
        "iat": now,
        "exp": now + 60,
        "roles": ["clerk", "stranger"],
    }
    claims = {name: v for name, v in (claims | changes).items() if v is not None}
    return jwt.encode(claims, provider, algorithm, headers={"kid": kid})


def status(client, text, path="/v1/me"):
    return client.get(path, headers={"Authorization": f"Bearer {text}"}).status_code


def test_a_token_allows_what_its_roles_do(client, provider):
    headers = {"Authorization": f"Bearer {token(provider)}"}
    me = client.get("/v1/me", headers=headers).json()
    assert (me["name"], me["scopes"]) == ("oidc:ann", ["search"])
    assert client.post("/v1/search", json={"text": "red"}, headers=headers).status_code == 200
    assert client.get("/metrics", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": time.time() - 3600},
        {"exp": None},
        {"iat": None},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"sub": None},
        {"nbf": time.time() + 3600},
    ],
)
def test_a_token_that_is_late_early_or_not_for_us_is_refused(client, provider, changes):
    assert status(client, token(provider, **changes)) == 401


def test_a_token_that_the_provider_did_not_sign_is_refused(client, provider):
    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(65537, 2048)
    good = token(provider)
    head, claims, _ = good.split(".")
    for forged in (
        token(other),
        token(other, kid="two"),
        jwt.encode({"iss": ISSUER, "aud": "tiepoint", "sub": "eve"}, None, "none"),
        token("a secret that is long enough, and not the provider's", "HS256"),
        f"{head}.{claims}.",
        f"{head}.{claims}",
        good[:-8] + "AAAAAAAA",
        "a.b.c",
    ):
        assert status(client, forged) == 401


def test_a_provider_that_cannot_be_reached_refuses_and_does_not_fail(tmp_path, provider):
    oidc = {"issuer": "http://127.0.0.1:9", "audience": "tiepoint"}
    auth = {"keys": str(tmp_path / "keys.json"), "oidc": oidc}
    with served(Host(deployment(tmp_path, auth=auth))) as client:
        assert status(client, token(provider, iss="http://127.0.0.1:9")) == 401
        assert client.get("/health").status_code == 200
