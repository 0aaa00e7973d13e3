// The tools: what is drawn with the mouse or, step by step, with the keyboard, over everything else on the map.
//
// A tool is a row of points and a cursor. Python says which one is in hand (section "tool") and is told what was drawn.

const STEP = 8; // CSS pixels an arrow key moves the cursor; with Shift five times as far
const SNAP = 10; // CSS pixels within which a corner or border of an area takes the cursor
const NEAR = 9; // CSS pixels around a corner in which it is meant
const FREE = 5; // CSS pixels between two points of a line drawn with the button held
const EARTH = 6371008.8; // metres, mean radius, as in db/kernel/geo.py
const FONT = '12px "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei", sans-serif';

// What each tool does: how many points end it, whether its line is closed, whether it can be drawn with the button held,
// and under which name Python hears of it.
const KINDS = {
  lasso: { closes: true, free: true, least: 3, tells: "shape_drawn" },
  radius: { ends: 2, least: 2, tells: "circle_drawn" },
  measure: { least: 1 },
  place: { ends: 1, least: 1, tells: "place_picked" },
  outline: { closes: true, snaps: true, least: 3, tells: "outline_drawn" },
  reshape: { closes: true, snaps: true, edits: true, least: 3, tells: "outline_reshaped" },
};

export class Tools {
  static title = "tools";

  constructor(room) {
    this.room = room;
    this.map = room.map;
    const container = this.map.getContainer();
    this.canvas = L.DomUtil.create("canvas", "tool-sheet", container);
    this.pen = this.canvas.getContext("2d");
    this.hint = L.DomUtil.create("div", "hint", container);
    this.where = L.DomUtil.create("div", "where", container);
    this.hint.hidden = this.where.hidden = true;
    this.value = null;
    this.points = [];
    this.cursor = null;
    this.map.on("move zoom resize", () => this.value && this._draw());
    this.map.on("mousemove", (event) => this._wander(event));
    this.map.on("mouseout", () => (this.where.hidden = true));
  }

  sections = { tool: { json: this.take, after: "cells", soils: [] } };

  orders = {
    say_where: (words) => {
      this.where.textContent = words;
      this.where.hidden = !words;
    },
  };

  recolour() {
    if (this.value) this._draw();
  }

  // Take a tool into the hand, or put it away (null).
  take(value) {
    this.value = value;
    this.kind = value ? KINDS[value.kind] : null;
    this.points = (value?.points ?? []).map(([lon, lat]) => L.latLng(lat, lon));
    this.cursor = null;
    this.held = false;
    this.grasped = -1;
    this.done = false;
    this.room.tool = value ? this : null;
    this.hint.hidden = !value?.hint;
    this.hint.textContent = value?.hint ?? "";
    this.map.getContainer().classList.toggle("drawing", Boolean(value));
    this._draw();
  }

  // The mouse

  press(point, event) {
    if (event.button !== 0) return false;
    this.cursor = this._at(point);
    this.held = true;
    this.began = point;
    if (this.kind.edits) {
      this.grasped = this._cornerAt(point);
      return this.grasped >= 0;
    }
    if (this.kind.free || this.kind.ends === 2) return true;
    return false; // the map may be dragged, and a click sets a point
  }

  stretch(point) {
    this.cursor = this._at(point);
    if (this.held && this.grasped >= 0) this.points[this.grasped] = this.cursor;
    else if (this.held && this.kind.free && this._away(this.points.at(-1) ?? this._at(this.began), point) > FREE) {
      if (!this.points.length) this.points.push(this._at(this.began));
      this.points.push(this.cursor);
      this.drawn = true;
    }
    this._draw();
    return this.held && (this.grasped >= 0 || this.kind.free || this.kind.ends === 2);
  }

  release(point, event) {
    if (!this.held) return false;
    this.held = false;
    if (this.grasped >= 0) {
      this.grasped = -1;
      return true;
    }
    if (this.kind.free) {
      // A line drawn in one go is a whole shape; a mere click sets a corner.
      if (this.drawn) this._finish(event);
      else this._set(event);
      this.drawn = false;
      return true;
    }
    if (this.kind.ends === 2) {
      if (!this.points.length) this.points.push(this._at(this.began));
      if (point.distanceTo(this.began) > FREE || this.points.length > 1 || this.placed) {
        this.cursor = this._at(point);
        this._set(event);
      }
      this.placed = this.points.length === 1;
      this._draw();
      return true;
    }
    return false;
  }

  click({ containerPoint, originalEvent }) {
    this.cursor = this._at(containerPoint);
    if (this.kind.edits) this._insert(containerPoint);
    else if (!this.done) this._set(originalEvent);
    this._draw();
    return true;
  }

  open({ originalEvent }) {
    this._finish(originalEvent);
    return true;
  }

  // The keyboard

  // Asked as a layer as well, when no tool is in the hand.
  key(event) {
    if (this.room.tool !== this) return false;
    const { key, shiftKey } = event;
    const step = ARROWS[key];
    if (step) {
      const from = this.cursor ? this.map.latLngToContainerPoint(this.cursor) : this.map.getSize().divideBy(2);
      const far = shiftKey ? 5 * STEP : STEP;
      const to = from.add([step[0] * far, step[1] * far]);
      this.cursor = this._at(to, { snaps: false });
      if (this.grasped >= 0) this.points[this.grasped] = this.cursor;
      this._follow(to);
    } else if (key === " ") this._space(event);
    else if (key === "Enter") this._finish(event);
    else if (key === "Backspace") this._back();
    else if (key === "Delete" && this.kind.edits) this._remove();
    else if (key === "Tab" && this.kind.edits) this._next(shiftKey ? -1 : 1);
    else if (key === "Escape") this._tell("tool_left", null);
    else return false;
    this._draw();
    return true;
  }

  _space(event) {
    this.cursor ??= this.map.getCenter();
    if (!this.kind.edits) this._set(event);
    else if (this.grasped >= 0) this.grasped = -1;
    else {
      const at = this.map.latLngToContainerPoint(this.cursor);
      this.grasped = this._cornerAt(at);
      if (this.grasped < 0) this._insert(at);
    }
  }

  _next(way) {
    const count = this.points.length;
    this.marked = ((this.marked ?? -way) + way + count) % count;
    this.cursor = this.points[this.marked];
    this._follow(this.map.latLngToContainerPoint(this.cursor));
  }

  // The cursor never leaves the window: the map comes along.
  _follow(point) {
    const size = this.map.getSize();
    const margin = 40;
    const over = (value, most) => Math.min(0, value - margin) + Math.max(0, value - most + margin);
    const by = L.point(over(point.x, size.x), over(point.y, size.y));
    if (by.x || by.y) {
      this.room.byHand = true;
      this.map.panBy(by, { animate: false });
    }
  }

  // Points

  _set(event) {
    if (!this.cursor) return;
    if (this.done) this.points = [];
    this.done = false;
    this.points.push(this._snapped(this.cursor));
    if (this.points.length === this.kind.ends) this._finish(event);
  }

  _back() {
    this.done = false;
    if (!this.kind.edits) this.points.pop();
  }

  _remove() {
    const at = this.cursor ? this._cornerAt(this.map.latLngToContainerPoint(this.cursor)) : -1;
    if (at >= 0 && this.points.length > 3) this.points.splice(at, 1);
    this.grasped = -1;
  }

  // A new corner where a border was clicked.
  _insert(point) {
    const corners = this.points.map((each) => this.map.latLngToContainerPoint(each));
    let best = { away: NEAR, at: -1 };
    corners.forEach((corner, i) => {
      const away = L.LineUtil.pointToSegmentDistance(point, corner, corners[(i + 1) % corners.length]);
      if (away < best.away) best = { away, at: i + 1 };
    });
    if (best.at >= 0 && this._cornerAt(point) < 0) this.points.splice(best.at, 0, this._at(point));
  }

  _cornerAt(point) {
    return this.points.findIndex((each) => this._away(each, point) <= NEAR);
  }

  _finish(event) {
    const { least, tells, closes } = this.kind;
    // A double click has set the same point twice.
    const points = this.points.filter((each, i) => !i || this._apart(each, this.points[i - 1]) > 1);
    if (points.length < least) return;
    this.points = points;
    this.done = true;
    this.grasped = -1;
    this._draw();
    if (!tells) return;
    const ring = points.map(({ lng, lat }) => [lng, lat]);
    const more = Boolean(event?.ctrlKey || event?.metaKey);
    const metres = points.length > 1 ? distance(points[0], points[1]) : 0;
    this._tell(tells, { ring, more, metres, kind: this.value.kind, closed: Boolean(closes) });
  }

  _tell(name, value) {
    this.room.bridge.tell(name, JSON.stringify(value));
  }

  _at(point, { snaps = true } = {}) {
    const place = this.map.containerPointToLatLng(point);
    return snaps ? this._snapped(place) : place;
  }

  _away(place, point) {
    return this.map.latLngToContainerPoint(place).distanceTo(point);
  }

  _apart(a, b) {
    return this._away(a, this.map.latLngToContainerPoint(b));
  }

  // The nearest corner of the areas within reach, else the nearest place on a border, else the place itself.
  _snapped(place) {
    const lines = this.kind?.snaps ? this.room.ground.ringsOf(this.value.level) : null;
    if (!lines) return place;
    const { ground } = this.room;
    const unit = 256 * 2 ** ground.shapes.zoom;
    const [px, py] = projected(place);
    const x = (px - ground.shapes.origin[0]) * unit;
    const y = (py - ground.shapes.origin[1]) * unit;
    const reach = SNAP * 2 ** (ground.shapes.zoom - this.map.getZoom());
    let corner = { away: reach };
    let border = { away: reach };
    for (const ring of lines) {
      for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
        const [ax, ay, bx, by] = [ring[j], ring[j + 1], ring[i], ring[i + 1]];
        if (Math.min(ax, bx) > x + reach || Math.max(ax, bx) < x - reach) continue;
        if (Math.min(ay, by) > y + reach || Math.max(ay, by) < y - reach) continue;
        const away = Math.hypot(bx - x, by - y);
        if (away < corner.away) corner = { away, x: bx, y: by };
        const length = (bx - ax) ** 2 + (by - ay) ** 2 || 1;
        const share = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
        const [fx, fy] = [ax + share * (bx - ax), ay + share * (by - ay)];
        const off = Math.hypot(fx - x, fy - y);
        if (off < border.away) border = { away: off, x: fx, y: fy };
      }
    }
    const found = corner.away < reach ? corner : border;
    if (found.away >= reach) return place;
    return placed(ground.shapes.origin[0] + found.x / unit, ground.shapes.origin[1] + found.y / unit);
  }

  // The drawing

  _draw() {
    const { map, pen, canvas } = this;
    const size = map.getSize();
    const ratio = window.devicePixelRatio;
    canvas.hidden = !this.value;
    if (!this.value) return;
    if (canvas.width !== Math.ceil(size.x * ratio) || canvas.height !== Math.ceil(size.y * ratio)) {
      canvas.width = Math.ceil(size.x * ratio);
      canvas.height = Math.ceil(size.y * ratio);
      canvas.style.width = `${size.x}px`;
      canvas.style.height = `${size.y}px`;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size.x, size.y);
    pen.lineJoin = pen.lineCap = "round";
    const at = (place) => map.latLngToContainerPoint(place);
    const line = this.points.map(at);
    const loose = this.cursor && !this.done && !this.kind.edits ? [...line, at(this.cursor)] : line;
    if (this.value.kind === "radius") this._drawCircle(loose);
    else this._drawLine(loose, line);
    if (this.cursor && !this.done) this._drawCursor(at(this.cursor));
  }

  _drawLine(loose, line) {
    const { pen, kind } = this;
    const { palette } = this.room;
    const path = new Path2D();
    loose.forEach(({ x, y }, i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
    if (kind.closes && loose.length > 2) {
      path.closePath();
      pen.globalAlpha = 0.12;
      pen.fillStyle = palette.accent;
      pen.fill(path);
      pen.globalAlpha = 1;
    }
    this._stroke(path);
    if (!kind.free || line.length < 40) line.forEach((point, i) => this._dot(point, i === this.grasped));
    if (this.value.kind === "measure") this._writeLengths(loose);
  }

  _drawCircle([middle, edge]) {
    if (!middle) return;
    this._dot(middle);
    if (!edge) return;
    const path = new Path2D();
    path.arc(middle.x, middle.y, middle.distanceTo(edge), 0, 2 * Math.PI);
    this.pen.globalAlpha = 0.12;
    this.pen.fillStyle = this.room.palette.accent;
    this.pen.fill(path);
    this.pen.globalAlpha = 1;
    this._stroke(path);
    const [from, to] = [middle, edge].map((point) => this.map.containerPointToLatLng(point));
    this._write(this._length(distance(from, to)), edge);
  }

  _writeLengths(line) {
    const places = line.map((point) => this.map.containerPointToLatLng(point));
    let whole = 0;
    places.slice(1).forEach((place, i) => {
      const length = distance(places[i], place);
      whole += length;
      const middle = line[i].add(line[i + 1]).divideBy(2);
      if (line[i].distanceTo(line[i + 1]) > 60 && places.length > 2) this._write(this._length(length), middle);
    });
    if (places.length < 2) return;
    const words = [this._length(whole)];
    if (places.length > 2) words.push(this._surface(surface(places)));
    this._write(words.join(" · "), line.at(-1).add([0, 18]), true);
  }

  _length(metres) {
    const { words } = this.room;
    return metres < 1000
      ? `${metres.toFixed(metres < 100 ? 1 : 0)} ${words.metres}`
      : `${(metres / 1000).toFixed(2)} ${words.kilometres}`;
  }

  _surface(square) {
    const { words } = this.room;
    return square < 1e5 ? `${Math.round(square)} ${words.metres}²` : `${(square / 1e6).toFixed(3)} ${words.kilometres}²`;
  }

  _stroke(path) {
    const { pen } = this;
    const { palette } = this.room;
    pen.strokeStyle = palette.land;
    pen.lineWidth = 4;
    pen.stroke(path);
    pen.strokeStyle = palette.accent;
    pen.lineWidth = 2;
    pen.stroke(path);
  }

  _dot({ x, y }, strong = false) {
    const { pen } = this;
    const { palette } = this.room;
    pen.beginPath();
    pen.arc(x, y, strong ? 6 : 4, 0, 2 * Math.PI);
    pen.fillStyle = strong ? palette.accent : palette.pane;
    pen.fill();
    pen.strokeStyle = palette.accent;
    pen.lineWidth = 2;
    pen.stroke();
  }

  _drawCursor({ x, y }) {
    const { pen } = this;
    const path = new Path2D();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      path.moveTo(x + 4 * dx, y + 4 * dy);
      path.lineTo(x + 14 * dx, y + 14 * dy);
    }
    pen.strokeStyle = this.room.palette.land;
    pen.lineWidth = 3.5;
    pen.stroke(path);
    pen.strokeStyle = this.room.palette.text1;
    pen.lineWidth = 1.5;
    pen.stroke(path);
  }

  _write(words, { x, y }, strong = false) {
    const { pen } = this;
    const { palette } = this.room;
    pen.font = strong ? `600 ${FONT}` : FONT;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const width = pen.measureText(words).width + 14;
    pen.fillStyle = palette.pane;
    pen.beginPath();
    pen.roundRect(x - width / 2, y - 11, width, 22, 5);
    pen.fill();
    pen.fillStyle = palette.text1;
    pen.fillText(words, x, y);
  }

  // Where the pointer is, a few times a second, for who wants to read the coordinates.
  _wander({ latlng }) {
    if (!this.room.layers.coordinates) return;
    this.latest = latlng;
    this.asking ??= setTimeout(() => {
      this.asking = null;
      this._tell("wandered", [this.latest.lng, this.latest.lat]);
    }, 60);
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const radians = (degrees) => (degrees * Math.PI) / 180;

// Great-circle metres.
export function distance(a, b) {
  const square =
    Math.sin(radians(b.lat - a.lat) / 2) ** 2 +
    Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(radians(b.lng - a.lng) / 2) ** 2;
  return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(square)));
}

// Square metres of a ring on the plane that touches its middle; over a county true to a thousandth.
export function surface(places) {
  const middle = places.reduce((sum, { lat }) => sum + lat, 0) / places.length;
  const narrow = Math.cos(radians(middle));
  let twice = 0;
  places.forEach((a, i) => {
    const b = places[(i + 1) % places.length];
    twice += radians(a.lng - places[0].lng) * radians(b.lat - middle) - radians(b.lng - places[0].lng) * radians(a.lat - middle);
  });
  return (Math.abs(twice) / 2) * narrow * EARTH ** 2;
}

function projected({ lat, lng }) {
  return [lng / 360 + 0.5, 0.5 - Math.asinh(Math.tan(radians(lat))) / (2 * Math.PI)];
}

function placed(x, y) {
  return L.latLng((Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI, (x - 0.5) * 360);
}
