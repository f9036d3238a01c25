"""FastAPI dependencies: from a request's headers to the workspace of whoever speaks."""

from typing import Annotated

from fastapi import Depends, Header, Request

from server.service import Service, Workspace


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def bearer(authorization: Annotated[str | None, Header(include_in_schema=False)] = None) -> str:
    """The token of the Authorization header, or an empty text."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.casefold() == "bearer" else ""


def workspace(
    request: Request,
    service: Annotated[Service, Depends(service_of)],
    token: Annotated[str, Depends(bearer)],
    x_touchline_user: Annotated[str | None, Header(description="With the local token of a demo home.")] = None,
) -> Workspace:
    """What the caller may work with. Without a token it is nobody's: only the open functions answer."""
    caller = service.caller(token, x_touchline_user)
    request.state.account = caller.actor.account
    return service.workspace(caller)


ServiceDep = Annotated[Service, Depends(service_of)]
Token = Annotated[str, Depends(bearer)]
Work = Annotated[Workspace, Depends(workspace)]
