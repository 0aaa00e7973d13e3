"""The page of the map: folium draws it up, every script and style comes over our own scheme."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

from branca.element import MacroElement
from folium import Map
from folium.elements import JSCSSMixin
from folium.template import Template
from xstatic.pkg import leaflet

from db.kernel.resources import resource
from desktop.widgets.webview import ORIGIN, LocalSite

PAGE = "map.html"
MAX_ZOOM = 19
MIN_ZOOM = 8


class LiveLayers(JSCSSMixin, MacroElement):
    """Our canvas layers: the module `live.js` joins them to the map folium has made."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            {{ this._parent.get_name() }}.setMinZoom({{ this.min_zoom }}).setMaxZoom({{ this.max_zoom }});
            import("{{ this.module }}").then((live) => live.open({{ this._parent.get_name() }}));
        {% endmacro %}
        """
    )

    default_css: ClassVar[list[tuple[str, str]]] = [
        ("live_css", f"{ORIGIN}/map/live.css"),
        ("areas_css", f"{ORIGIN}/map/areas.css"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._name = "LiveLayers"
        self.module = f"{ORIGIN}/map/live.js"
        self.min_zoom, self.max_zoom = MIN_ZOOM, MAX_ZOOM  # folium keeps its own for tile layers


class RoomMap(Map):
    """A folium map that names no foreign server and loads no jQuery, Bootstrap or icon fonts."""

    default_js: ClassVar[list[tuple[str, str]]] = [
        ("leaflet", f"{ORIGIN}/leaflet/leaflet.js"),
        ("channel", f"{ORIGIN}/qwebchannel.js"),
    ]
    default_css: ClassVar[list[tuple[str, str]]] = [("leaflet_css", f"{ORIGIN}/leaflet/leaflet.css")]


def serve_page(site: LocalSite) -> None:
    """Put the page and all it loads on the site; the page itself is `PAGE`."""
    page = split_inline(draw_up())
    site.serve_text(PAGE, page.html, "text/html")
    site.serve_text("page.js", page.script, "text/javascript")
    site.serve_text("page.css", page.style, "text/css")
    site.serve_folder("map", resource("map"))
    site.serve_folder("leaflet", Path(leaflet.BASE_DIR))
    site.serve_resource("qwebchannel.js", ":/qtwebchannel/qwebchannel.js")


def draw_up() -> str:
    """Give folium's page with our layers on its map."""
    room = RoomMap(
        location=(0, 0),
        tiles=None,
        zoom_start=MIN_ZOOM,
        zoom_control=False,
        attribution_control=False,
        # Half zoom steps let "fit" come close to the bounds; the wheel still moves by whole notches.
        zoom_snap=0.25,
        zoom_delta=1,
        wheel_px_per_zoom_level=110,
        box_zoom=False,
        double_click_zoom=False,
        inertia=True,
        fade_animation=False,
        # A stretched picture costs a processor more than a true one: see sheet.js.
        zoom_animation=False,
    )
    room._id = "room"  # folium's name is random; a fixed one keeps the page the same from start to start
    LiveLayers().add_to(room)
    return str(room.get_root().render())


class SplitPage(HTMLParser):
    """A page whose inline scripts and styles are moved out, so that the policy need not allow inline code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._kept: list[str] = []
        self._moved: dict[str, list[str]] = {"script": [], "style": []}
        self._inside: str | None = None

    @property
    def html(self) -> str:
        return "".join(self._kept)

    @property
    def script(self) -> str:
        return "\n".join(self._moved["script"])

    @property
    def style(self) -> str:
        return "\n".join(self._moved["style"])

    def handle_decl(self, decl: str) -> None:
        self._kept.append(f"<!{decl}>")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._moved and "src" not in dict(attrs):
            self._inside = tag
        else:
            self._kept.append(self.get_starttag_text() or "")
        if tag == "head":  # first, so that Leaflet's and our own sheets may overrule it
            self._kept.append(f'<link rel="stylesheet" href="{ORIGIN}/page.css"/>')

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._kept.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None
            return
        if tag == "html":
            self._kept.append(f'<script src="{ORIGIN}/page.js"></script>')
        self._kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        (self._moved[self._inside] if self._inside else self._kept).append(data)


def split_inline(html: str) -> SplitPage:
    """Move the inline code of a page out of it."""
    page = SplitPage()
    page.feed(html)
    page.close()
    return page
