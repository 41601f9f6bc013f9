"""The web UI under ``/app/``: the build that the package carries, or a page that says how to get one."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from tunesmith.kit.paths import OutsideRoot, resolve_under

UI_FOLDER = Path(__file__).resolve().parent.parent / "bundle" / "ui"
router = APIRouter(include_in_schema=False)

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tunesmith</title><style>
body{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:12vh auto;padding:0 1.5rem;color:#1c1c1f;background:#fafafa;
word-break:keep-all}code{background:#ececf0;padding:.15em .45em;border-radius:.3em}h1{font-size:1.5rem}section{margin:2rem 0}
@media(prefers-color-scheme:dark){body{color:#e8e8ea;background:#141417}code{background:#2a2a30}}
</style></head><body><h1>Tunesmith</h1>
<section lang="en"><p>The server runs. The web pages have not been built yet.</p>
<p>Run <code>make ui</code> in the repository (it needs Node 20 or newer), then reload this page.</p></section>
<section lang="ko"><p>서버가 실행 중입니다. 웹 화면은 아직 빌드되지 않았습니다.</p>
<p>저장소에서 <code>make ui</code>를 실행한 뒤(Node 20 이상 필요) 이 페이지를 새로 고치세요.</p></section>
</body></html>"""


@router.get("/")
async def open_ui() -> RedirectResponse:
    """Lead to the web UI."""
    return RedirectResponse("/app/", status_code=307)


@router.get("/app")
async def open_ui_folder() -> RedirectResponse:
    """Lead to the web UI."""
    return RedirectResponse("/app/", status_code=307)


@router.get("/app/{path:path}")
async def serve_ui(path: str) -> Response:
    """A file of the build; every other address is a page of the single-page application."""
    index = UI_FOLDER / "index.html"
    if not index.is_file():
        return HTMLResponse(NOT_BUILT, headers={"cache-control": "no-store"})
    try:
        target = resolve_under(UI_FOLDER, path) if path else index
    except (OutsideRoot, OSError):
        target = index
    if target.is_file() and target != index:
        # names of built assets carry a digest of their content
        forever = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        return FileResponse(target, headers={"cache-control": forever})
    if path.startswith("assets/"):
        return HTMLResponse("", status_code=404)
    return FileResponse(index, headers={"cache-control": "no-cache"})
