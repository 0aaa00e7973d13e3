// What the hand does on the map: point, click, double click, draw a band, and the keys.

const CLICK_SLACK = 4; // CSS pixels a press may wander and still be a click

export class Hand {
  constructor(room) {
    this.room = room;
    this.map = room.map;
    this.container = this.map.getContainer();
    this.band = L.DomUtil.create("div", "band", this.container);
    this.band.hidden = true;
    this.start = null;
    this.swallow = false;
    this._wire();
  }

  _wire() {
    const { map, container } = this;
    map.on("mousemove", (event) => this._point(event.containerPoint));
    map.on("mouseout", () => this.room.card.show(null));
    map.on("click", (event) => this._click(event));
    map.on("dblclick", (event) => this._open(event));
    map.on("contextmenu", ({ latlng }) => this.room.bridge.point(latlng.lng, latlng.lat));
    map.on("dragstart", () => this.room.seize());
    container.addEventListener("wheel", () => this.room.seize(), { passive: true });
    container.addEventListener("keydown", (event) => this._key(event), true);
    window.addEventListener("focus", () => container.focus({ preventScroll: true }));
    // Before Leaflet sees it, or the map would be dragged along.
    document.addEventListener("mousedown", (event) => this._press(event), true);
    document.addEventListener("mousemove", (event) => this._stretch(event), true);
    document.addEventListener("mouseup", (event) => this._release(event), true);
    window.addEventListener("blur", () => this._drop());
  }

  _point(point) {
    if (this.start || this.map.dragging.moving()) return;
    const mark = this.room.hit(point);
    this.room.card.show(mark?.layer ? mark : null, point);
    this.room.areas.point(mark);
    this.container.classList.toggle("pointing", Boolean(mark));
  }

  _click(event) {
    if (this.swallow) {
      this.swallow = false;
      return;
    }
    if (this.room.tool?.click?.(event)) return;
    const mark = this.room.hit(event.containerPoint);
    const { ctrlKey, metaKey, shiftKey } = event.originalEvent;
    if (mark) mark.part.click?.(mark, event);
    else if (!ctrlKey && !metaKey && !shiftKey) this.room.bridge.pick("cases", "[]", "replace");
  }

  _open(event) {
    if (this.room.tool?.open?.(event)) return;
    const { containerPoint, latlng } = event;
    const mark = this.room.hit(containerPoint);
    if (mark?.part.open) {
      mark.part.open(mark);
    } else {
      this.room.seize();
      this.map.setZoomAround(latlng, this.map.getZoom() + 1);
    }
  }

  _key(event) {
    const taken = this.room.tool?.key?.(event) || this.room.parts.toReversed().some((part) => part.key?.(event));
    if (taken) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (event.key === "Home") {
      this.room.fit();
      event.preventDefault();
    } else if (/^(Arrow|[+=_-]$)/.test(event.key)) {
      this.room.seize();
    }
  }

  _press(event) {
    this.swallow = false;
    if (this._tooled("press", event)) return;
    if (!event.shiftKey || event.button !== 0 || !this.container.contains(event.target)) return;
    event.stopPropagation();
    event.preventDefault();
    this.container.focus({ preventScroll: true });
    this.start = this.map.mouseEventToContainerPoint(event);
    this.room.card.show(null);
  }

  _stretch(event) {
    if (this._tooled("stretch", event) || !this.start) return;
    const end = this.map.mouseEventToContainerPoint(event);
    if (this.band.hidden && this.start.distanceTo(end) < CLICK_SLACK) return;
    const { min, max } = L.bounds([this.start, end]);
    this.band.hidden = false;
    L.DomUtil.setPosition(this.band, min);
    this.band.style.width = `${max.x - min.x}px`;
    this.band.style.height = `${max.y - min.y}px`;
  }

  _release(event) {
    if (this._tooled("release", event)) {
      this.swallow = true; // the click that follows belongs to the tool
      return;
    }
    if (!this.start) return;
    if (!this.band.hidden) {
      const end = this.map.mouseEventToContainerPoint(event);
      const slots = this.room.cases.within(this.start, end);
      this.room.bridge.pick("cases", JSON.stringify(slots), event.ctrlKey || event.metaKey ? "add" : "replace");
      this.swallow = true; // the click that follows belongs to the band
    }
    this._drop();
  }

  // Whether the tool in hand has used this event of the mouse; then neither Leaflet nor the band sees it.
  _tooled(name, event) {
    const { tool } = this.room;
    if (!tool?.[name] || !this.container.contains(event.target)) return false;
    if (!tool[name](this.map.mouseEventToContainerPoint(event), event)) return false;
    event.stopPropagation();
    event.preventDefault();
    return true;
  }

  _drop() {
    this.start = null;
    this.band.hidden = true;
  }
}
