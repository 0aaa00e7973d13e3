// Cases and people: columns by slot, drawn as pixels into one picture, and found again under the pointer.
import { drawMark, drawRing, lay, PASSES, radiusAt, rasterise, ringRadius, STYLES } from "./sprites.js";

const REACH = 8; // CSS pixels around the pointer in which the nearest mark counts as meant

export class Crowd {
  constructor(room) {
    this.room = room;
    this.columns = { cases: new Columns(), people: new Columns() };
    this.selected = new Int32Array(0);
    this.groups = null;
    this.sprites = null;
    this.image = null;
  }

  // Take an answer of Python's PointColumns.since(); returns its generation.
  absorb(layer, buffer) {
    this.groups = null;
    return this.columns[layer].absorb(buffer);
  }

  select(slots) {
    this.selected = slots;
  }

  recolour() {
    this.sprites = null;
  }

  regroup() {
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

  _prepare(frame) {
    const radius = radiusAt(frame.zoom);
    const key = `${radius} ${frame.ratio} ${frame.deviceWidth}`;
    if (this.sprites?.key === key) return;
    const { palette } = this.room;
    const of = (style) =>
      lay(rasterise((pen) => drawMark(pen, style, radius, palette), radius * 1.5, frame.ratio), frame.deviceWidth);
    this.sprites = {
      key,
      radius,
      marks: Object.fromEntries(Object.entries(STYLES).map(([layer, styles]) => [layer, styles.map(of)])),
      ring: lay(
        rasterise((pen) => drawRing(pen, radius, palette), ringRadius(radius), frame.ratio),
        frame.deviceWidth,
      ),
    };
  }

  paint(context, frame) {
    this._group();
    this._prepare(frame);
    const { deviceWidth, deviceHeight } = frame;
    if (this.image?.width !== deviceWidth || this.image?.height !== deviceHeight) {
      this.image = new ImageData(deviceWidth, deviceHeight);
      this.pixels = new Uint32Array(this.image.data.buffer);
    } else {
      this.pixels.fill(0);
    }
    for (const { layer, style, columns, slots } of this.groups) {
      this._stamp(frame, columns, slots, () => this.sprites.marks[layer][style]);
    }
    const lifted = this._lifted();
    this._stamp(frame, lifted.columns, lifted.slots, () => this.sprites.ring);
    const { cases } = this.columns;
    this._stamp(frame, cases, lifted.slots, (slot) => this.sprites.marks.cases[cases.style[slot]]);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.putImageData(this.image, 0, 0);
  }

  // The inner loop: a solid pixel is one store, a soft one is blended only where something lies beneath.
  _stamp(frame, { x, y }, slots, spriteOf) {
    const { pixels } = this;
    const { deviceWidth: width, deviceHeight: height } = frame;
    const scale = frame.world * frame.ratio;
    const left = frame.left * frame.ratio;
    const top = frame.top * frame.ratio;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i];
      const px = x[slot] * scale - left;
      const py = y[slot] * scale - top;
      const { half, solidAt, solid, softAt, soft } = spriteOf(slot);
      if (px < half || py < half || px >= width - half || py >= height - half) continue;
      const at = Math.floor(py) * width + Math.floor(px);
      for (let k = 0; k < solidAt.length; k++) pixels[at + solidAt[k]] = solid[k];
      for (let k = 0; k < softAt.length; k++) {
        const under = pixels[at + softAt[k]];
        pixels[at + softAt[k]] = under === 0 ? soft[k] : blend(under, soft[k]);
      }
    }
  }

  // The mark at a place of the window: the topmost one the pointer touches, else the nearest within reach.
  // Plain scanning takes well under a millisecond for 300,000 points, so there is no index to keep in step.
  pick(point) {
    this._group();
    const map = this.room.map;
    const zoom = map.getZoom();
    const world = 256 * 2 ** zoom;
    const corner = map.getPixelBounds().min;
    const x = (point.x + corner.x) / world;
    const y = (point.y + corner.y) / world;
    const touch = ((radiusAt(zoom) + 1) / world) ** 2;
    const near = REACH / world;
    let best = null;
    let nearest = near * near;
    for (const group of [this._lifted(), ...this.groups.toReversed()]) {
      const { columns, slots } = group;
      for (let i = slots.length - 1; i >= 0; i--) {
        const dx = columns.x[slots[i]] - x;
        if (dx > near || dx < -near) continue;
        const dy = columns.y[slots[i]] - y;
        const away = dx * dx + dy * dy;
        if (away <= touch) return { layer: group.layer, slot: slots[i] };
        if (away < nearest) {
          nearest = away;
          best = { layer: group.layer, slot: slots[i] };
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

// Straight alpha, red in the lowest byte.
function blend(under, over) {
  const a = over >>> 24;
  const b = ((under >>> 24) * (255 - a)) / 255;
  const sum = a + b;
  const mix = (shift) => Math.round((((over >>> shift) & 255) * a + ((under >>> shift) & 255) * b) / sum);
  return ((Math.round(sum) << 24) | (mix(16) << 16) | (mix(8) << 8) | mix(0)) >>> 0;
}

function unproject(x, y) {
  return [(Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI, (x - 0.5) * 360];
}
