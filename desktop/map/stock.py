"""Maps as folium makes them by itself: what one would take instead, only to be measured beside ours."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from folium import CircleMarker, Map
from folium.plugins import FastMarkerCluster
from xstatic.pkg import leaflet

from desktop.widgets.webview import ORIGIN, LocalSite

LonLat = tuple[float, float]

_CLUSTERS = "xstatic.pkg.leaflet_markercluster"
_CIRCLE = "function callback(row) { return L.circleMarker([row[0], row[1]], {radius: 4}); }"


class StockMap(Map):
    """folium's own map with its Leaflet from this machine; a folium page asks for foreign servers else."""

    default_js: ClassVar[list[tuple[str, str]]] = [("leaflet", f"{ORIGIN}/leaflet/leaflet.js")]
    default_css: ClassVar[list[tuple[str, str]]] = [("leaflet_css", f"{ORIGIN}/leaflet/leaflet.css")]


class StockClusters(FastMarkerCluster):
    """folium's fast clusters with their script from this machine."""

    default_js: ClassVar[list[tuple[str, str]]] = [
        ("cluster", f"{ORIGIN}/markercluster/leaflet.markercluster.js")
    ]
    default_css: ClassVar[list[tuple[str, str]]] = [
        ("cluster_css", f"{ORIGIN}/markercluster/MarkerCluster.css"),
        ("cluster_default_css", f"{ORIGIN}/markercluster/MarkerCluster.Default.css"),
    ]


def has_clusters() -> bool:
    """Whether the script of the clusters is installed: XStatic-Leaflet-MarkerCluster, for developers only."""
    return importlib.util.find_spec(_CLUSTERS) is not None


def serve_stock(site: LocalSite) -> None:
    """Put the scripts that these pages load on the site."""
    site.serve_folder("leaflet", Path(leaflet.BASE_DIR))
    spec = importlib.util.find_spec(_CLUSTERS)
    if spec is not None and spec.origin is not None:
        site.serve_folder("markercluster", Path(spec.origin).parent / "data")


def circles(points: Sequence[LonLat], middle: LonLat, zoom: float) -> str:
    """A page with one CircleMarker a point, as the documentation of folium shows it."""
    drawn = _map(middle, zoom)
    for lon, lat in points:
        CircleMarker(location=(lat, lon), radius=4, fill=True).add_to(drawn)
    return str(drawn.get_root().render())


def clusters(points: Sequence[LonLat], middle: LonLat, zoom: float) -> str:
    """A page with all points in one FastMarkerCluster."""
    drawn = _map(middle, zoom)
    StockClusters([(lat, lon) for lon, lat in points], callback=_CIRCLE).add_to(drawn)
    return str(drawn.get_root().render())


def _map(middle: LonLat, zoom: float) -> StockMap:
    # Clusters need to know how far one can go; with tiles, these would say so.
    return StockMap((middle[1], middle[0]), tiles=None, zoom_start=zoom, prefer_canvas=True, maxZoom=18)
