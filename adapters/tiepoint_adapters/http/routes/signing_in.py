"""Signing in to the pages with a key, and out again."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr

from tiepoint_adapters.http.access import Caller, NotAllowedError
from tiepoint_adapters.http.schemas import Body
from tiepoint_adapters.http.service import Served
from tiepoint_adapters.http.signins import COOKIE, Signin

router = APIRouter(prefix="/v1", tags=["sign-in"])


class SigninBody(Body):
    """The key to sign in with."""

    key: SecretStr = Field(max_length=200, description="As `tiepoint keys create` showed it.")


class SignedIn(BaseModel):
    """Who has signed in."""

    name: str
    scopes: list[str]
    csrf: str | None = Field(description="To be sent as X-CSRF-Token with every change.")


@router.post("/signin", summary="Sign in")
def sign_in(body: SigninBody, request: Request, response: Response, service: Served) -> SignedIn:
    """Give a browser a cookie that stands for a key, for some hours."""
    address = request.client.host if request.client is not None else "local"
    try:
        key = service.authenticator.key_of(body.key.get_secret_value())
    except NotAllowedError:
        service.limits.count_failure(address)
        raise
    former = request.scope.get("tiepoint.signin")
    if isinstance(former, Signin):
        service.authenticator.signins.end(former)
    value, signin = service.authenticator.signins.create(key)
    service.authenticator.signins.set_cookie(response, request.scope, value)
    service.audit.write(f"key:{key.name}", address, "sign in", request.url.path)
    return SignedIn(name=f"key:{key.name}", scopes=list(key.scopes), csrf=signin.csrf)


@router.post("/signout", status_code=204, summary="Sign out")
def sign_out(request: Request, service: Served) -> Response:
    """Make the cookie worthless."""
    signin = request.scope.get("tiepoint.signin")
    if isinstance(signin, Signin):
        service.authenticator.signins.end(signin)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=request.scope.get("root_path") or "/")
    return response


@router.get("/me", summary="Who am I?")
async def me(caller: Caller, request: Request) -> SignedIn:
    """Return who calls, and what they may do."""
    signin = request.scope.get("tiepoint.signin")
    csrf = signin.csrf if isinstance(signin, Signin) else None
    return SignedIn(name=caller.name, scopes=sorted(caller.scopes), csrf=csrf)
