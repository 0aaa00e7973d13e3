// Cases and people: columns by slot, drawn as pixels into one picture, and found again under the pointer.
import { drawMark, drawRing, lay, PASSES, radiusOf, rasterise, ringRadius, STYLES } from "./sprites.js";

const REACH = 8; // CSS pixels around the pointer in which the nearest mark counts as meant

export class Crowd {
  static title = "crowd";

  constructor(room) {
    this.room = room;
    this.columns = { cases: new Columns(), people: new Columns() };
    this.selected = new Int32Array(0);
    this.groups = null;
    this.sprites = null;
    this.image = null;
  }

  sections = {
    points: { bytes: this.absorb, soils: ["points"] },
    selected: { bytes: (buffer) => this.select(new Int32Array(buffer)), soils: ["points"] },
  };

  // Take an answer of Python's PointColumns.since(); returns its generation.
  absorb(buffer, layer) {
    this.groups = null;
    return this.columns[layer].absorb(buffer);
  }

  select(slots) {
    this.selected = slots;
  }

  recolour() {
    this.sprites = null;
  }

  switched() {
    this.groups = null;
  }

  get empty() {
    return !this.columns.cases.length && !this.columns.people.length;
  }

  bounds() {
    const { cases } = this.columns;
    const box = L.latLngBounds([]);
    for (let slot = 0; slot < cases.length; slot++) {
      if (cases.drawn(slot)) box.extend(unproject(cases.x[slot], cases.y[slot]));
    }
    return box.isValid() ? [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()] : null;
  }

  // One list of slots per pass, each in slot order.
  _group() {
    if (this.groups) return;
    const { layers } = this.room;
    const sorted = {};
    for (const layer of Object.keys(this.columns)) {
      sorted[layer] = layers[layer] === false ? [] : this.columns[layer].byStyle(STYLES[layer].length);
    }
    this.spread = this.columns.cases.spread();
    this.groups = PASSES.map(([layer, style]) => ({
      layer,
      style,
      columns: this.columns[layer],
      slots: sorted[layer][style] ?? new Int32Array(0),
    }));
  }

  // The selected cases that can be seen, in the same form; they are drawn last.
  _lifted() {
    const { cases } = this.columns;
    const slots = this.room.layers.cases === false ? [] : this.selected.filter((slot) => cases.drawn(slot));
    return { layer: "cases", columns: cases, slots };
  }

  radius(layer, style, zoom) {
    this._group();
    return radiusOf(STYLES[layer][style], zoom, this.spread * 256 * 2 ** zoom);
  }

  _prepare(frame) {
    const { palette } = this.room;
    const radii = PASSES.map(([layer, style]) => this.radius(layer, style, frame.zoom));
    const key = `${radii} ${frame.ratio} ${frame.deviceWidth}`;
    if (this.sprites?.key === key) return;
    const largest = Math.max(...radii);
    const cut = (reach, translucent, draw) =>
      lay(rasterise(draw, reach, frame.ratio, translucent), frame.deviceWidth);
    const marks = PASSES.map(([layer, code], i) => {
      const style = STYLES[layer][code];
      return cut(radii[i] * 1.5, style.faded, (pen) => drawMark(pen, style, radii[i], palette));
    });
    const ring = cut(ringRadius(largest), true, (pen) => drawRing(pen, largest, palette));
    this.sprites = { key, marks, ring };
  }

  stamp(pixels, frame) {
    this._group();
    this._prepare(frame);
    const { marks, ring } = this.sprites;
    this.groups.forEach(({ columns, slots }, i) => stamp(pixels, frame, columns, slots, marks[i]));
    const { columns, slots } = this._lifted();
    stamp(pixels, frame, columns, slots, ring);
    PASSES.forEach(([layer, style], i) => {
      if (layer !== "cases") return;
      stamp(pixels, frame, columns, slots.filter((slot) => columns.style[slot] === style), marks[i]);
    });
  }

  click({ layer, slot }, { originalEvent: { ctrlKey, metaKey, shiftKey } }) {
    this.room.bridge.pick(layer, JSON.stringify([slot]), ctrlKey || metaKey || shiftKey ? "toggle" : "replace");
  }

  open({ layer, slot }) {
    this.room.bridge.open(layer, slot);
  }

  legend() {
    const { layers, words } = this.room;
    const styles = Object.entries(STYLES).flatMap(([layer, list]) => (layers[layer] === false ? [] : list));
    return styles.map((style) => ({
      words: words[style.word],
      draw: (pen, palette) => drawMark(pen, style, 4, palette),
    }));
  }

  // The mark at a place of the window: the topmost one the pointer touches, else the nearest within reach.
  // Plain scanning takes 0.5 ms for 100,000 points (2 ms for 300,000), so there is no index to keep in step.
  hit(point) {
    this._group();
    const map = this.room.map;
    const zoom = map.getZoom();
    const world = 256 * 2 ** zoom;
    const corner = map.getPixelBounds().min;
    const x = (point.x + corner.x) / world;
    const y = (point.y + corner.y) / world;
    const near = REACH / world;
    let best = null;
    let nearest = near * near;
    for (const group of [this._lifted(), ...this.groups.toReversed()]) {
      const { layer, style, columns, slots } = group;
      const touch = ((this.radius(layer, style ?? 2, zoom) + 1) / world) ** 2;
      for (let i = slots.length - 1; i >= 0; i--) {
        const dx = columns.x[slots[i]] - x;
        if (dx > near || dx < -near) continue;
        const dy = columns.y[slots[i]] - y;
        const away = dx * dx + dy * dy;
        if (away <= touch) return { layer, slot: slots[i] };
        if (away < nearest) {
          nearest = away;
          best = { layer, slot: slots[i] };
        }
      }
    }
    return best;
  }

  // The cases inside a rectangle of the window.
  within(from, to) {
    this._group();
    const map = this.room.map;
    const world = 256 * 2 ** map.getZoom();
    const corner = map.getPixelBounds().min;
    const [left, right] = [from.x, to.x].sort((a, b) => a - b).map((side) => (side + corner.x) / world);
    const [top, bottom] = [from.y, to.y].sort((a, b) => a - b).map((side) => (side + corner.y) / world);
    const inside = [];
    for (const { layer, columns, slots } of this.groups) {
      if (layer !== "cases") continue;
      for (const slot of slots) {
        const x = columns.x[slot];
        const y = columns.y[slot];
        if (x >= left && x <= right && y >= top && y <= bottom) inside.push(slot);
      }
    }
    return inside;
  }

  // Where a mark lies in the window, null when it is not drawn.
  place({ layer, slot }) {
    const columns = this.columns[layer];
    if (this.room.layers[layer] === false || !columns.drawn(slot)) return null;
    const world = 256 * 2 ** this.room.map.getZoom();
    const corner = this.room.map.getPixelBounds().min;
    return L.point(columns.x[slot] * world - corner.x, columns.y[slot] * world - corner.y);
  }
}

class Columns {
  constructor() {
    this.length = 0;
    this._reserve(0);
  }

  drawn(slot) {
    return slot < this.length && this.visible[slot] === 1 && this.x[slot] === this.x[slot];
  }

  absorb(buffer) {
    const headLength = new Uint32Array(buffer, 0, 1)[0];
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headLength)));
    const { count, length, whole, masked } = head;
    let at = 4 + headLength;
    const next = (Kind, n) => {
      const column = new Kind(buffer, at, n);
      at += n * Kind.BYTES_PER_ELEMENT;
      return column;
    };
    const x = next(Float64Array, count);
    const y = next(Float64Array, count);
    if (whole) {
      this.x = x;
      this.y = y;
      this.style = next(Uint8Array, count);
      this.visible = next(Uint8Array, count);
    } else {
      const slots = next(Int32Array, count);
      const style = next(Uint8Array, count);
      const visible = next(Uint8Array, count);
      if (length > this.x.length) this._reserve(Math.max(length, this.x.length * 1.25));
      for (let i = 0; i < count; i++) {
        const slot = slots[i];
        this.x[slot] = x[i];
        this.y[slot] = y[i];
        this.style[slot] = style[i];
        this.visible[slot] = visible[i];
      }
      if (masked) {
        const bits = next(Uint8Array, Math.ceil(length / 8));
        for (let slot = 0; slot < length; slot++) this.visible[slot] = (bits[slot >> 3] >> (slot & 7)) & 1;
      }
    }
    this.length = length;
    return head.generation;
  }

  // Sort the drawn slots by style, keeping their order.
  byStyle(styles) {
    const counts = new Int32Array(styles);
    for (let slot = 0; slot < this.length; slot++) if (this.drawn(slot)) counts[this.style[slot]]++;
    const lists = Array.from(counts, (count) => new Int32Array(count));
    counts.fill(0);
    for (let slot = 0; slot < this.length; slot++) {
      const style = this.style[slot];
      if (style < styles && this.drawn(slot)) lists[style][counts[style]++] = slot;
    }
    return lists;
  }

  // Mean distance of neighbours, were all drawn slots spread evenly over the box they fill, in the unit square.
  spread() {
    let left = Infinity;
    let top = Infinity;
    let right = -Infinity;
    let bottom = -Infinity;
    let count = 0;
    for (let slot = 0; slot < this.length; slot++) {
      if (!this.drawn(slot)) continue;
      count++;
      left = Math.min(left, this.x[slot]);
      right = Math.max(right, this.x[slot]);
      top = Math.min(top, this.y[slot]);
      bottom = Math.max(bottom, this.y[slot]);
    }
    return count > 1 ? Math.sqrt(((right - left) * (bottom - top)) / count) : 1;
  }

  _reserve(capacity) {
    for (const [name, Kind] of Object.entries({
      x: Float64Array,
      y: Float64Array,
      style: Uint8Array,
      visible: Uint8Array,
    })) {
      const grown = new Kind(capacity);
      if (this[name]) grown.set(this[name]);
      this[name] = grown;
    }
  }
}

// Write one mark at every slot: a solid pixel is one store, a soft one is blended only where something lies beneath.
function stamp(pixels, frame, { x, y }, slots, { half, solidAt, solid, softAt, soft }) {
  const { deviceWidth: width, deviceHeight: height } = frame;
  const scale = frame.world * frame.ratio;
  const left = frame.left * frame.ratio;
  const top = frame.top * frame.ratio;
  const right = width - half;
  const bottom = height - half;
  const solids = solidAt.length;
  const softs = softAt.length;
  for (let i = 0; i < slots.length; i++) {
    const px = x[slots[i]] * scale - left;
    const py = y[slots[i]] * scale - top;
    if (px < half || py < half || px >= right || py >= bottom) continue;
    const at = (py | 0) * width + (px | 0);
    for (let k = 0; k < solids; k++) pixels[at + solidAt[k]] = solid[k];
    for (let k = 0; k < softs; k++) {
      const under = pixels[at + softAt[k]];
      pixels[at + softAt[k]] = under === 0 ? soft[k] : blend(under, soft[k]);
    }
  }
}

// Straight alpha in whole numbers, red in the lowest byte.
function blend(under, over) {
  const a = over >>> 24;
  const b = (((under >>> 24) * (255 - a)) / 255) | 0;
  const sum = a + b;
  const red = (((over & 255) * a + (under & 255) * b) / sum) | 0;
  const green = ((((over >>> 8) & 255) * a + ((under >>> 8) & 255) * b) / sum) | 0;
  const blue = ((((over >>> 16) & 255) * a + ((under >>> 16) & 255) * b) / sum) | 0;
  return ((sum << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function unproject(x, y) {
  return [(Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI, (x - 0.5) * 360];
}
