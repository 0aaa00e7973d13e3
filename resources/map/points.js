// A layer of points that stand still: stamped as pixels into the common picture, found again under the pointer.
import { Columns, HIDDEN } from "./columns.js";
import { drawMark, drawRing, lay, radiusOf, rasterise, ringRadius, stamp } from "./sprites.js";

const REACH = 8; // CSS pixels around the pointer in which the nearest mark counts as meant
const CROWD = 40_000; // so many points in the window and those that would draw the same pixels again are skipped
const RINGS_WITH_GLOW = 1_500;

export class PointLayer {
  // `styles`: [{ word, colour, shape, open, crossed, calm }] by Python's code. `order`: the codes, from the lowest drawn to
  // the topmost. `from`: the zoom from which the points are drawn.
  constructor(room, name, { styles, order, from = 0 }) {
    this.room = room;
    this.name = name;
    this.styles = styles;
    this.order = order;
    this.from = from;
    this.rank = new Uint8Array(HIDDEN + 1).fill(HIDDEN);
    order.forEach((code, i) => (this.rank[code] = i));
    this.columns = new Columns();
    this.buckets = order.map(() => ({ at: new Int32Array(1024), count: 0 }));
    this.lifted = new Set();
    this.texts = new Map(); // slot -> the words beside its mark, once Python has told them
    this.sprites = null;
    this.sections = { [`points/${name}`]: { bytes: this.absorb, soils: ["points"] } };
  }

  absorb(buffer) {
    return this.columns.absorb(buffer, this.changed);
  }

  // A slot that changed may be another case now; without a slot, all of them.
  changed = (slot) => {
    if (slot === undefined) this.texts.clear();
    else this.texts.delete(slot);
  };

  recolour() {
    this.sprites = null;
  }

  get shown() {
    return this.room.layers[this.name] !== false;
  }

  get near() {
    return this.room.map.getZoom() >= this.from;
  }

  get empty() {
    return !this.columns.count;
  }

  radius(code, zoom) {
    return radiusOf(this.styles[code], zoom, this.columns.spacing * 256 * 2 ** zoom);
  }

  stamp(pixels, frame) {
    if (!this.shown || frame.zoom < this.from || this.empty) return;
    this._prepare(frame);
    const found = this._gather(frame);
    const skip = found > CROWD;
    if (skip) this.room.picture.seen.fill(0);
    this.buckets.forEach(({ at, count }, i) => {
      const left = skip ? once(this.room.picture.seen, at, count, i + 1) : count;
      stamp(pixels, at, left, this.sprites.marks[i]);
    });
    this._stampLifted(pixels, frame);
  }

  // The pixel of the picture in the middle of every mark in it, by order of drawing; how many there are.
  _gather(frame) {
    const { columns, buckets, rank } = this;
    const { ox, oy, code } = columns;
    const { deviceWidth: width, scale, dx, dy, right, bottom, half } = this._window(frame);
    for (const bucket of buckets) bucket.count = 0;
    let found = 0;
    const ranges = this._inFrame(frame);
    for (let pair = 0; pair < ranges.length; pair += 2) {
      for (let i = ranges[pair], to = ranges[pair + 1]; i < to; i++) {
        const pass = rank[code[i]];
        if (pass === HIDDEN) continue;
        const x = ox[i] * scale + dx;
        const y = oy[i] * scale + dy;
        if (!(x >= half && y >= half && x < right && y < bottom)) continue;
        const bucket = buckets[pass];
        if (bucket.count === bucket.at.length) bucket.at = doubled(bucket.at);
        bucket.at[bucket.count++] = (y | 0) * width + (x | 0);
        found++;
      }
    }
    return found;
  }

  // From an entry's place to device pixels of the frame: x = ox * scale + dx; within [half, right).
  _window(frame) {
    const { deviceWidth, deviceHeight, ratio, world } = frame;
    const half = this.sprites.half;
    return {
      deviceWidth,
      half,
      scale: world * ratio,
      dx: (this.columns.left * world - frame.left) * ratio,
      dy: (this.columns.top * world - frame.top) * ratio,
      right: deviceWidth - half,
      bottom: deviceHeight - half,
    };
  }

  _inFrame({ left, top, width, height, world }) {
    return this.columns.ranges(left / world, top / world, (left + width) / world, (top + height) / world);
  }

  _prepare(frame) {
    const { palette } = this.room;
    const radii = this.order.map((code) => this.radius(code, frame.zoom));
    const key = `${radii} ${frame.ratio} ${frame.deviceWidth}`;
    if (this.sprites?.key === key) return;
    const largest = Math.max(...radii);
    const cut = (reach, translucent, draw) =>
      lay(rasterise(draw, reach, frame.ratio, translucent), frame.deviceWidth);
    const marks = this.order.map((code, i) =>
      cut(radii[i] * 1.6, false, (pen) => drawMark(pen, this.styles[code], radii[i], palette)),
    );
    const ring = cut(ringRadius(largest), true, (pen) => drawRing(pen, largest, palette));
    const plain = cut(ringRadius(largest), false, (pen) => drawRing(pen, largest, palette, true));
    this.sprites = { key, marks, ring, plain, half: Math.max(ring.half, ...marks.map((mark) => mark.half)) };
  }

  _stampLifted(pixels, frame) {
    const { columns, sprites, rank } = this;
    const { deviceWidth: width, scale, dx, dy, right, bottom, half } = this._window(frame);
    const rings = [];
    const marks = this.order.map(() => []);
    for (const slot of this.lifted) {
      if (!columns.drawn(slot)) continue;
      const entry = columns.entry[slot];
      const x = columns.ox[entry] * scale + dx;
      const y = columns.oy[entry] * scale + dy;
      if (!(x >= half && y >= half && x < right && y < bottom)) continue;
      const at = (y | 0) * width + (x | 0);
      rings.push(at);
      marks[rank[columns.style[slot]]]?.push(at);
    }
    // Typed like those of the crowd: a loop that meets arrays of two kinds runs slower for both.
    const ring = rings.length > RINGS_WITH_GLOW ? sprites.plain : sprites.ring;
    stamp(pixels, Int32Array.from(rings), rings.length, ring);
    marks.forEach((at, i) => stamp(pixels, Int32Array.from(at), at.length, sprites.marks[i]));
  }

  // The topmost mark whose pixels lie under the pointer, else the nearest within reach.
  hit(point) {
    const { frame } = this.room.sheet;
    const zoom = this.room.map.getZoom();
    if (!this.shown || !frame || frame.zoom !== zoom || !this.near || !this.sprites || this.empty) return null;
    const { columns, rank, sprites } = this;
    const { ox, oy, code, slotAt } = columns;
    const corner = this.room.map.getPixelBounds().min;
    const { scale, dx, dy } = this._window(frame);
    const px = (point.x + corner.x - frame.left) * frame.ratio;
    const py = (point.y + corner.y - frame.top) * frame.ratio;
    const near = Math.max(REACH * frame.ratio, sprites.half);
    const ranges = this._around(point, near / frame.ratio);
    let best = null;
    for (let pair = 0; pair < ranges.length; pair += 2) {
      for (let i = ranges[pair], to = ranges[pair + 1]; i < to; i++) {
        const pass = rank[code[i]];
        if (pass === HIDDEN) continue;
        const x = ox[i] * scale + dx;
        const y = oy[i] * scale + dy;
        const [ax, ay] = [Math.floor(px) - Math.floor(x), Math.floor(py) - Math.floor(y)];
        if (ax > near || ax < -near || ay > near || ay < -near) continue;
        const slot = slotAt[i];
        const touched = sprites.marks[pass].covers(ax, ay);
        const away = touched ? 0 : (px - x) ** 2 + (py - y) ** 2;
        if (!touched && away > (REACH * frame.ratio) ** 2) continue;
        // Drawn later lies higher: first by lift, then by pass, then by place in the order.
        const height = (this.lifted.has(slot) ? HIDDEN : 0) + pass;
        if (!best || away < best.away || (away === best.away && height >= best.height)) best = { away, height, slot };
      }
    }
    return best ? { layer: this.name, slot: best.slot } : null;
  }

  // What is drawn in the frame, the topmost first: [{ slot, x, y, height }] in CSS pixels of the frame; null when there are
  // more than `most`.
  marks(frame, most) {
    if (!this.shown || frame.zoom < this.from || this.empty) return [];
    const { columns, rank } = this;
    const { ox, oy, code, slotAt } = columns;
    const [dx, dy] = [columns.left * frame.world - frame.left, columns.top * frame.world - frame.top];
    const ranges = this._inFrame(frame);
    const found = [];
    for (let pair = 0; pair < ranges.length; pair += 2) {
      for (let i = ranges[pair], to = ranges[pair + 1]; i < to; i++) {
        const pass = rank[code[i]];
        if (pass === HIDDEN) continue;
        const x = ox[i] * frame.world + dx;
        const y = oy[i] * frame.world + dy;
        if (!(x >= 0 && y >= 0 && x < frame.width && y < frame.height)) continue;
        if (found.length === most) return null;
        const slot = slotAt[i];
        found.push({ slot, x, y, height: (this.lifted.has(slot) ? HIDDEN : 0) + pass, entry: i });
      }
    }
    return found.sort((a, b) => b.height - a.height || b.entry - a.entry);
  }

  // Ranges of entries around a place of the window.
  _around(point, reach) {
    const { map } = this.room;
    const world = 256 * 2 ** map.getZoom();
    const corner = map.getPixelBounds().min;
    const [x, y] = [point.x + corner.x, point.y + corner.y];
    return this.columns.ranges((x - reach) / world, (y - reach) / world, (x + reach) / world, (y + reach) / world);
  }

  // The slots drawn inside a rectangle of the window, corners in CSS pixels.
  within(from, to) {
    if (!this.shown || !this.near) return [];
    const { map } = this.room;
    const { columns, rank } = this;
    const { ox, oy, code, slotAt } = columns;
    const world = 256 * 2 ** map.getZoom();
    const corner = map.getPixelBounds().min;
    const side = (value, offset) => (value + offset) / world;
    const [left, right] = [side(Math.min(from.x, to.x), corner.x), side(Math.max(from.x, to.x), corner.x)];
    const [top, bottom] = [side(Math.min(from.y, to.y), corner.y), side(Math.max(from.y, to.y), corner.y)];
    const ranges = columns.ranges(left, top, right, bottom);
    const inside = [];
    for (let pair = 0; pair < ranges.length; pair += 2) {
      for (let i = ranges[pair]; i < ranges[pair + 1]; i++) {
        if (rank[code[i]] === HIDDEN) continue;
        const x = ox[i] + columns.left;
        const y = oy[i] + columns.top;
        if (x >= left && x <= right && y >= top && y <= bottom) inside.push(slotAt[i]);
      }
    }
    return inside;
  }

  // Where a mark lies in the window, null when it is not drawn.
  place(slot) {
    const { columns } = this;
    if (!this.shown || !this.near || !columns.drawn(slot)) return null;
    const { map } = this.room;
    const world = 256 * 2 ** map.getZoom();
    const corner = map.getPixelBounds().min;
    return L.point(columns.x[slot] * world - corner.x, columns.y[slot] * world - corner.y);
  }

  // West, south, east, north of all that is drawn; null when nothing is.
  bounds() {
    const { columns } = this;
    const box = L.latLngBounds([]);
    for (let slot = 0; slot < columns.length; slot++) {
      if (columns.drawn(slot)) box.extend(unproject(columns.x[slot], columns.y[slot]));
    }
    return box.isValid() ? [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()] : null;
  }

  click({ layer, slot }, { originalEvent: { ctrlKey, metaKey, shiftKey } }) {
    this.room.bridge.pick(layer, JSON.stringify([slot]), ctrlKey || metaKey || shiftKey ? "toggle" : "replace");
  }

  open({ layer, slot }) {
    this.room.bridge.open(layer, slot);
  }

  legend() {
    if (!this.shown || this.empty) return [];
    return this.styles
      .filter(({ silent }) => !silent)
      .map((style) => ({
        words: this.room.words[style.word],
        draw: (pen, palette) => drawMark(pen, style, 4, palette),
      }));
  }
}

export function unproject(x, y) {
  return [(Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI, (x - 0.5) * 360];
}

// Move those places to the front that this pass has not met before; how many they are. Equal marks at one pixel draw the
// same pixels, and in a crowd most of them are such.
function once(seen, at, count, pass) {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    if (seen[at[i]] === pass) continue;
    seen[at[i]] = pass;
    at[kept++] = at[i];
  }
  return kept;
}

function doubled(array) {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
