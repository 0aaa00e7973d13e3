// Areas in colours: the choropleth of one level with its key, and the area that is pointed at.
import { LISTS } from "./ground.js";

const RAMP = 5; // ramp1 to ramp5; ramp0 is for what is exactly zero
const HATCH = 7; // CSS pixels between two lines

const probe = document.createElement("canvas").getContext("2d");

export class Areas {
  static title = "areas";

  constructor(room) {
    this.room = room;
    this.value = null;
    this.marked = -1;
    this.shown = { level: null, shapes: null };
    const container = room.map.getContainer();
    this.box = L.DomUtil.create("div", "key", container);
    this.crumbs = L.DomUtil.create("div", "crumbs", this.box);
    this.title = L.DomUtil.create("div", "key-title", this.box);
    this.steps = L.DomUtil.create("div", "key-steps", this.box);
    this.notes = L.DomUtil.create("div", "key-notes", this.box);
    this.said = L.DomUtil.create("div", "key-said", this.box);
    this.box.hidden = true;
    L.DomEvent.disableClickPropagation(this.box);
    L.DomEvent.disableScrollPropagation(this.box);
  }

  sections = { areas: { json: this.take, after: "cells", soils: ["base", "above"] } };

  orders = {
    // The area to ring, and what the key says of it.
    mark_area({ place, words }) {
      this.marked = place;
      this.said.textContent = words;
      this.said.hidden = !words;
      this._redraw("above");
    },
  };

  paint = { base: this.paintAreas, above: this.paintMarked };

  take(value) {
    this.value = value;
    this._shape();
    this._sort();
    this._fillKey();
  }

  recolour() {
    this._fillKey();
  }

  // The outlines of the level, each with its box; made once for each level and base map.
  _shape() {
    const { ground } = this.room;
    const level = this.value?.level;
    if (!level || ground.empty) return;
    const source = level === "cell" ? ground.cellRings : ground.shapes[LISTS[level]];
    if (this.shown.level === level && this.shown.source === source) return;
    const rings = level === "cell" ? source.map((ring) => [ring]) : source.map((area) => area.rings);
    this.shown = { level, source, rings, boxes: rings.map(boxOf), paths: [] };
  }

  // One path for each class, so that a city of cells is filled in a handful of strokes.
  _sort() {
    this.paths = [];
    this.hatched = new Path2D();
    if (!this.value || !this.shown.rings) return;
    const { classes, few } = this.value;
    classes.forEach((code, place) => {
      if (code) trace((this.paths[code] ??= new Path2D()), this.shown.rings[place] ?? []);
    });
    for (const place of few) trace(this.hatched, this.shown.rings[place] ?? []);
  }

  paintAreas(pen, frame) {
    const { ground, palette } = this.room;
    if (!this.value || ground.empty) return;
    const px = 1 / ground.enter(pen, frame);
    pen.globalAlpha = 0.78;
    this.paths.forEach((path, code) => {
      pen.fillStyle = this._colour(code);
      pen.fill(path, "evenodd");
    });
    if (this.value.few.length) {
      pen.globalAlpha = 0.5;
      pen.fillStyle = this._hatch(pen, px / frame.ratio, frame.ratio);
      pen.fill(this.hatched, "evenodd");
    }
    pen.globalAlpha = 0.55;
    pen.strokeStyle = palette.land;
    pen.lineWidth = px * (this.value.level === "cell" ? 0.5 : 1);
    pen.setLineDash([]);
    for (const path of this.paths) if (path) pen.stroke(path);
    pen.globalAlpha = 1;
  }

  paintMarked(pen, frame) {
    const { ground, palette } = this.room;
    if (!this.value || ground.empty) return;
    const px = 1 / ground.enter(pen, frame);
    const ring = (places, width) => {
      const path = new Path2D();
      for (const place of places) trace(path, this.shown.rings[place] ?? []);
      pen.lineJoin = "round";
      pen.strokeStyle = palette.accent;
      pen.lineWidth = width * px;
      pen.stroke(path);
    };
    if (this.value.chosen.length) ring(this.value.chosen, 2.5);
    if (this.marked >= 0) ring([this.marked], 1.5);
  }

  // The area at a place of the window. It lies under everything else, so it is asked last.
  hit(point) {
    const { map, ground } = this.room;
    if (!this.value || ground.empty) return null;
    const world = 256 * 2 ** map.getZoom();
    const unit = 256 * 2 ** ground.shapes.zoom;
    const corner = map.getPixelBounds().min;
    const x = ((point.x + corner.x) / world - ground.shapes.origin[0]) * unit;
    const y = ((point.y + corner.y) / world - ground.shapes.origin[1]) * unit;
    const { boxes, rings, paths, level } = this.shown;
    const place = boxes.findIndex(([left, top, right, bottom], i) => {
      if (x < left || x > right || y < top || y > bottom) return false;
      paths[i] ??= trace(new Path2D(), rings[i]);
      return probe.isPointInPath(paths[i], x, y, "evenodd");
    });
    return place < 0 ? null : { area: { kind: level, place } };
  }

  // The pointer has come to an area, or has left all of them.
  point(mark) {
    const place = mark?.area?.place ?? -1;
    if (!this.value || place === this.pointed) return;
    this.pointed = place;
    this.room.bridge.tell("area_pointed", JSON.stringify(place));
  }

  click({ area: { place } }, { originalEvent: { ctrlKey, metaKey, shiftKey } }) {
    this._tell("area_entered", { place, more: ctrlKey || metaKey || shiftKey });
  }

  // "[" and "]" go from area to area, the highest value first; Enter goes in, Backspace up.
  key({ key, ctrlKey, altKey, metaKey }) {
    if (!this.value || ctrlKey || altKey || metaKey) return false;
    if (key === "]" || key === "[") this._tell("area_stepped", key === "]" ? 1 : -1);
    else if (key === "Enter" && this.marked >= 0) this._tell("area_entered", { place: this.marked, more: false });
    else if (key === "Backspace") this._tell("area_left", null);
    else return false;
    return true;
  }

  _tell(name, value) {
    this.room.bridge.tell(name, JSON.stringify(value));
  }

  _redraw(canvas) {
    this.room.sheet.soil(canvas);
    this.room.sheet.paint();
  }

  _fillKey() {
    this.box.hidden = !this.value;
    if (!this.value) return;
    const { title, steps, notes, crumbs } = this.value;
    this.title.textContent = title;
    this.crumbs.replaceChildren(...crumbs.flatMap((words, depth) => this._crumb(words, depth, crumbs.length)));
    this.steps.replaceChildren(
      ...steps.map(([code, words, areas]) => {
        const row = L.DomUtil.create("div", "key-step");
        const swatch = L.DomUtil.create("span", code ? "swatch" : "swatch none", row);
        if (code) swatch.style.backgroundColor = this._colour(code);
        L.DomUtil.create("span", "key-range", row).textContent = words;
        L.DomUtil.create("span", "key-areas", row).textContent = areas;
        return row;
      }),
    );
    this.notes.replaceChildren(
      ...notes.map((words) => {
        const row = document.createElement("div");
        row.textContent = words;
        return row;
      }),
    );
    this.said.hidden = this.marked < 0;
  }

  _crumb(words, depth, length) {
    const here = depth === length - 1;
    const crumb = L.DomUtil.create(here ? "span" : "button", here ? "crumb here" : "crumb");
    crumb.textContent = words;
    if (!here) crumb.addEventListener("click", () => this._tell("area_climbed", depth));
    if (!depth) return [crumb];
    const between = L.DomUtil.create("span", "crumb-between");
    between.textContent = "›";
    return [between, crumb];
  }

  // Few classes take colours far apart.
  _colour(code) {
    const { palette } = this.room;
    if (code === 1) return palette.ramp0;
    const highest = Math.max(...this.value.steps.map(([each]) => each), 2);
    const step = highest === 2 ? 3 : 1 + Math.round(((code - 2) * (RAMP - 1)) / (highest - 2));
    return palette[`ramp${step}`];
  }

  _hatch(pen, unit, ratio) {
    const side = HATCH * ratio;
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(side);
    const brush = tile.getContext("2d");
    brush.strokeStyle = this.room.palette.text2;
    brush.lineWidth = ratio;
    for (const shift of [-side, 0, side]) {
      brush.moveTo(shift, side);
      brush.lineTo(shift + side, 0);
    }
    brush.stroke();
    const pattern = pen.createPattern(tile, "repeat");
    pattern.setTransform(new DOMMatrix().scale(unit));
    return pattern;
  }
}

function trace(path, rings) {
  for (const ring of rings) {
    path.moveTo(ring[0], ring[1]);
    for (let i = 2; i < ring.length; i += 2) path.lineTo(ring[i], ring[i + 1]);
    path.closePath();
  }
  return path;
}

function boxOf(rings) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 2) {
      box[0] = Math.min(box[0], ring[i]);
      box[1] = Math.min(box[1], ring[i + 1]);
      box[2] = Math.max(box[2], ring[i]);
      box[3] = Math.max(box[3], ring[i + 1]);
    }
  }
  return box;
}
