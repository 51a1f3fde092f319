"""A web application at an address: listen there, say where that is, stop when asked to."""

import errno
import ipaddress
import socket

import uvicorn
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.types import ASGIApp

from corpus.errors import FootnoteError


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises FootnoteError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = f"port {port} is in use; choose another with --port"
        else:
            why = (getattr(error, "strerror", None) or str(error)).split(" (")[0].lower()
            reason = f"cannot listen on {host}, port {port}: {why}"
        raise FootnoteError(reason) from error


def address(host: str, listening: socket.socket) -> str:
    """What a person types into the browser."""
    everywhere = host in ("", "0.0.0.0", "::")
    shown = "localhost" if everywhere else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(app: FastAPI, door: ASGIApp, listening: socket.socket) -> None:
    """Serve the app through its door until interrupted or terminated."""
    _Server(app, door).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Ends the streams that open pages hold before it stops; else it would wait for them."""

    def __init__(self, app: FastAPI, door: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                door,
                log_level="warning",
                timeout_graceful_shutdown=3,
                server_header=False,
                ws="none",
            )
        )
        self._streams = [
            route.app.stop_event
            for route in app.routes
            if isinstance(route, Mount) and hasattr(route.app, "stop_event")
        ]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for stream in self._streams:
            stream.set()
        await super().shutdown(sockets)
