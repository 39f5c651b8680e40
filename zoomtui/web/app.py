"""The page's addresses, and what is answered at each.

Nothing in an address is ever taken for a path: a render's name is looked up, a keyframe's is a
number, and the page's own files are the few that lie in ``static``.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from renderer.engine.facts import Facts, facts_of_project
from renderer.errors import RendererError
from renderer.project import registry
from renderer.project.status import read_status
from renderer.service.glance import glance
from renderer.service.prometheus import CONTENT_TYPE, exposition
from zoomtui.viewing.scan import Reader
from zoomtui.web import told
from zoomtui.web.access import METRICS
from zoomtui.web.charts import Charts
from zoomtui.web.feed import Feed
from zoomtui.web.film import Film, answer_film, answer_playlist, taken_back
from zoomtui.web.pictures import Pictures

_KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
_NUMBER = re.compile("[0-9]{1,9}")
_READ = 16
"""Renders whose journals are kept read."""

T = TypeVar("T")

Answer = Callable[[Request], Awaitable[Response]]


class Pages:
    """All that is served."""

    def __init__(self, here: Path, only: Path | None = None) -> None:
        """The renders that ``zoomtui ls`` shows in the folder ``here``, or ``only`` one."""
        self._only = only and only.resolve()
        self._reader, self._measured = Reader(here), Reader(here)
        self._measuring = threading.Lock()
        self._folders: dict[str, Path] = {}
        self._films: OrderedDict[Path, Film] = OrderedDict()
        self._charts: OrderedDict[Path, Charts] = OrderedDict()
        self._pictures = Pictures()
        self._feeds: dict[Path | None, Feed] = {}
        self._static = {
            each.name: (each.read_bytes(), _KINDS[Path(each.name).suffix])
            for each in files("zoomtui.web").joinpath("static").iterdir()
            if Path(each.name).suffix in _KINDS
        }

    def app(self) -> Starlette:
        render = "/r/{render}"
        return Starlette(
            routes=[
                Route("/", self._first),
                Route("/events", self._events_of_all),
                Route(METRICS, self._metrics),
                Route("/static/{name}", self._file),
                Route(render, self._page),
                Route(f"{render}/events", self._events),
                Route(f"{render}/film.mp4", partial(self._newest, "film.mp4")),
                Route(f"{render}/watch.m3u8", partial(self._newest, "watch.m3u8")),
                Route(render + "/film/{epoch}/film.mp4", partial(self._film, answer_film)),
                Route(render + "/film/{epoch}/watch.m3u8", partial(self._film, answer_playlist)),
                Route(f"{render}/chart/{{name}}", self._chart),
                Route(render + "/keyframe/{keyframe}/{take}/{size}", self._keyframe),
            ],
            exception_handlers={RendererError: _unreadable, OSError: _unreadable},
        )

    def end(self) -> None:
        """Let all browsers go that wait for news."""
        for feed in self._feeds.values():
            feed.end()

    async def _first(self, request: Request) -> Response:
        if self._only is None:
            return self._static_file(request, "list.html")
        return RedirectResponse(f"/r/{registry.identity(self._only)}", 303)

    async def _page(self, request: Request) -> Response:
        await self._folder(request)
        return self._static_file(request, "render.html")

    async def _file(self, request: Request) -> Response:
        return self._static_file(request, request.path_params["name"])

    def _static_file(self, request: Request, name: str) -> Response:
        if name not in self._static:
            return _nothing()
        data, kind = self._static[name]
        return Response(data, media_type=kind)

    async def _events_of_all(self, request: Request) -> Response:
        if self._only is not None:
            return _nothing()
        return self._follow(request, None, partial(Feed, partial(told.of_all, self._reader)))

    async def _events(self, request: Request) -> Response:
        folder = await self._folder(request)
        source = partial(
            told.of_render,
            folder,
            self._film_of(folder),
            self._charts_of(folder),
            alone=self._only is not None,
        )
        return self._follow(request, folder, partial(Feed, source))

    def _follow(self, request: Request, key: Path | None, make: Callable[[], Feed]) -> Response:
        kind = "text/event-stream"
        if request.method == "HEAD":
            return Response(None, media_type=kind)
        if key not in self._feeds:
            self._feeds[key] = make()
        return StreamingResponse(self._feeds[key].follow(), media_type=kind)

    async def _metrics(self, request: Request) -> Response:
        text = exposition(await asyncio.to_thread(self._facts))
        return PlainTextResponse(text, headers={"Content-Type": CONTENT_TYPE})

    def _facts(self) -> list[Facts]:
        if self._only is not None:
            return [facts_of_project(read_status(self._only), glance(self._only))]
        with self._measuring:
            renders = self._measured.read().renders
        return [facts_of_project(each.status, each.engine) for each in renders if each.status]

    async def _film(
        self, answer: Callable[[Request, Film, str], Awaitable[Response]], request: Request
    ) -> Response:
        film = self._film_of(await self._folder(request))
        return await answer(request, film, request.path_params["epoch"])

    async def _newest(self, name: str, request: Request) -> Response:
        """Where the film of this name is now: for players, which know of no epochs."""
        film = self._film_of(await self._folder(request))
        epoch = (await asyncio.to_thread(film.look)).epoch
        return RedirectResponse(f"film/{epoch}/{name}", 307) if epoch else taken_back()

    async def _keyframe(self, request: Request) -> Response:
        folder, asked = await self._folder(request), request.path_params
        numbers = asked["keyframe"], asked["take"]
        if not all(_NUMBER.fullmatch(each) for each in numbers):
            return _nothing()
        keyframe, take = map(int, numbers)
        return await self._pictures.answer(request, folder, keyframe, take, asked["size"])

    async def _chart(self, request: Request) -> Response:
        charts = self._charts_of(await self._folder(request))
        try:
            drawing = await asyncio.to_thread(charts.drawing, request.path_params["name"])
        except KeyError:
            return _nothing()
        return Response(drawing, media_type=_KINDS[".svg"])

    async def _folder(self, request: Request) -> Path:
        """The render's. Raises OSError."""
        wanted = request.path_params["render"]
        if wanted not in self._folders:
            found = [self._only] if self._only else await asyncio.to_thread(self._reader.folders)
            self._folders = {registry.identity(folder): folder for folder in found}
        if wanted not in self._folders:
            raise FileNotFoundError(wanted)
        return self._folders[wanted]

    def _film_of(self, folder: Path) -> Film:
        return _kept(self._films, folder, Film)

    def _charts_of(self, folder: Path) -> Charts:
        return _kept(self._charts, folder, Charts)


def _kept(kept: OrderedDict[Path, T], folder: Path, make: Callable[[Path], T]) -> T:
    """That of ``folder``, made if need be; the one that was longest unused makes room."""
    found = kept[folder] = kept.pop(folder, None) or make(folder)
    if len(kept) > _READ:
        kept.popitem(last=False)
    return found


async def _unreadable(request: Request, error: Exception) -> Response:
    """What isn't there, or can't be read; where it lies is not told."""
    return _nothing()


def _nothing() -> Response:
    return PlainTextResponse("there is nothing here\n", 404)
