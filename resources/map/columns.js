// The points of one layer: columns by slot, as Python sends them, and the same points in order of place, so that a part of
// the city is found without looking at the rest.
const PER_CELL = 24;
const MOST_CELLS = 1 << 16;
const TAIL = 4096; // points that are out of order and simply walked through; one more, and all are put in order anew
const SAMPLE = 4096;

export const HIDDEN = 255; // the style of a point that is not drawn

export class Columns {
  constructor() {
    this.length = 0;
    this.x = this.y = new Float64Array(0);
    this.style = this.visible = new Uint8Array(0);
    this._arrange();
  }

  drawn(slot) {
    return slot < this.length && this.visible[slot] === 1 && this.x[slot] === this.x[slot];
  }

  // Take an answer of Python's PointColumns.since(); returns its generation. `changing` hears of a
  // slot before it changes, or without one of all of them.
  absorb(buffer, changing = () => {}) {
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
      changing();
      this.x = x;
      this.y = y;
      this.style = next(Uint8Array, count);
      this.visible = next(Uint8Array, count);
      this.length = length;
      this._arrange();
      return head.generation;
    }
    const slots = next(Int32Array, count);
    const style = next(Uint8Array, count);
    const visible = next(Uint8Array, count);
    if (length > this.x.length) this._reserve(Math.ceil(length * 1.25));
    this.length = length;
    for (let i = 0; i < count; i++) {
      const slot = slots[i];
      changing(slot);
      this.x[slot] = x[i];
      this.y[slot] = y[i];
      this.style[slot] = style[i];
      this.visible[slot] = visible[i];
    }
    if (masked) this._show(next(Uint8Array, Math.ceil(length / 8)));
    for (let i = 0; i < count; i++) this._file(slots[i]);
    return head.generation;
  }

  _show(bits) {
    const { visible, style, entry, code, length } = this;
    for (let slot = 0; slot < length; slot++) {
      const shown = (bits[slot >> 3] >> (slot & 7)) & 1;
      visible[slot] = shown;
      if (entry[slot] >= 0) code[entry[slot]] = shown ? style[slot] : HIDDEN;
    }
    this._spacing = null;
  }

  // Mean distance of neighbours, were all drawn points spread evenly over the box they fill, in the unit square. Told from
  // a sample: it only decides how large marks are.
  get spacing() {
    if (this._spacing !== null) return this._spacing;
    const { count, code, ox, oy } = this;
    const step = Math.max(1, Math.floor(count / SAMPLE));
    let [left, top, right, bottom, found, seen] = [Infinity, Infinity, -Infinity, -Infinity, 0, 0];
    for (let i = 0; i < count; i += step) {
      seen++;
      if (code[i] === HIDDEN) continue;
      found++;
      left = Math.min(left, ox[i]);
      right = Math.max(right, ox[i]);
      top = Math.min(top, oy[i]);
      bottom = Math.max(bottom, oy[i]);
    }
    const all = (found / seen) * count;
    this._spacing = found > 1 ? Math.sqrt(((right - left) * (bottom - top)) / all) : 1;
    return this._spacing;
  }

  // Pairs [from, to) of entries among which are all points of a box of the unit square (and others).
  ranges(left, top, right, bottom) {
    const pairs = [];
    if (this.sorted) {
      const [first, last] = [this._column(left - this.left), this._column(right - this.left)];
      const end = this._row(bottom - this.top);
      for (let row = this._row(top - this.top); row <= end; row++) {
        const at = row * this.wide;
        const [from, to] = [this.first[at + first], this.first[at + last + 1]];
        if (from < to) pairs.push(from, to);
      }
    }
    if (this.sorted < this.count) pairs.push(this.sorted, this.count);
    return pairs;
  }

  // Everything there is, in order of place: entry i is slot `slotAt[i]`, `ox[i]`, `oy[i]` from (left, top) in the unit
  // square, drawn as `code[i]`. Four bytes a coordinate are a hundredth of a pixel at the closest zoom.
  _arrange() {
    const n = this.length;
    const room = n + TAIL;
    this._box();
    const x = new Float32Array(n);
    const y = new Float32Array(n);
    const cell = new Int32Array(n);
    const first = new Int32Array(this.wide * this.high + 1);
    for (let slot = 0; slot < n; slot++) {
      x[slot] = this.x[slot] - this.left;
      y[slot] = this.y[slot] - this.top;
      if (x[slot] !== x[slot]) {
        cell[slot] = -1;
      } else {
        cell[slot] = this._cell(x[slot], y[slot]);
        first[cell[slot] + 1]++;
      }
    }
    for (let i = 1; i < first.length; i++) first[i] += first[i - 1];
    const next = first.slice(0, -1);
    this.ox = new Float32Array(room);
    this.oy = new Float32Array(room);
    this.code = new Uint8Array(room);
    this.slotAt = new Int32Array(room);
    this.entry = new Int32Array(Math.max(this.x.length, n)).fill(-1);
    for (let slot = 0; slot < n; slot++) {
      if (cell[slot] < 0) continue;
      const at = next[cell[slot]]++;
      this.ox[at] = x[slot];
      this.oy[at] = y[slot];
      this.code[at] = this.visible[slot] ? this.style[slot] : HIDDEN;
      this.slotAt[at] = slot;
      this.entry[slot] = at;
    }
    this.first = first;
    this.sorted = this.count = first[first.length - 1];
    this._spacing = null;
  }

  // The box of cells holds all but the outermost points; those lie in the cells at its edge. One case typed in on the
  // other side of the world must not put the whole city into one cell.
  _box() {
    const step = Math.max(1, Math.floor(this.length / SAMPLE));
    const [xs, ys] = [[], []];
    for (let slot = 0; slot < this.length; slot += step) {
      if (this.x[slot] !== this.x[slot]) continue;
      xs.push(this.x[slot]);
      ys.push(this.y[slot]);
    }
    const [left, right] = inner(xs);
    const [top, bottom] = inner(ys);
    const cells = Math.min(MOST_CELLS, Math.max(1, this.length / PER_CELL));
    const shape = (right - left) / (bottom - top);
    this.left = left;
    this.top = top;
    this.wide = Math.max(1, Math.min(1024, Math.round(Math.sqrt(cells * shape))));
    this.high = Math.max(1, Math.min(1024, Math.round(cells / this.wide)));
    this.across = this.wide / (right - left);
    this.down = this.high / (bottom - top);
  }

  _column(x) {
    return Math.min(this.wide - 1, Math.max(0, Math.floor(x * this.across)));
  }

  _row(y) {
    return Math.min(this.high - 1, Math.max(0, Math.floor(y * this.down)));
  }

  _cell(x, y) {
    return this._row(y) * this.wide + this._column(x);
  }

  // Give a changed slot its entry: the one it has when it did not leave its cell, else a new one in the tail, where it
  // lies above its like.
  _file(slot) {
    this._spacing = null;
    let at = this.entry[slot];
    const x = Math.fround(this.x[slot] - this.left);
    const y = Math.fround(this.y[slot] - this.top);
    if (at >= 0 && (x !== x || (at < this.sorted && this._cell(x, y) !== this._cell(this.ox[at], this.oy[at])))) {
      this.code[at] = HIDDEN;
      this.slotAt[at] = -1;
      this.entry[slot] = at = -1;
    }
    if (x !== x) return;
    if (at < 0) {
      if (this.count === this.ox.length) {
        this._arrange();
        return;
      }
      at = this.count++;
      this.slotAt[at] = slot;
      this.entry[slot] = at;
    }
    this.ox[at] = x;
    this.oy[at] = y;
    this.code[at] = this.visible[slot] ? this.style[slot] : HIDDEN;
  }

  _reserve(capacity) {
    const grown = (column, Kind, fill = 0) => {
      const larger = new Kind(capacity).fill(fill, column.length);
      larger.set(column);
      return larger;
    };
    this.x = grown(this.x, Float64Array, NaN);
    this.y = grown(this.y, Float64Array, NaN);
    this.style = grown(this.style, Uint8Array);
    this.visible = grown(this.visible, Uint8Array);
    this.entry = grown(this.entry, Int32Array, -1);
  }
}

// The span of all but the outermost hundredth at each end, never empty.
function inner(values) {
  if (!values.length) return [0, 1];
  values.sort((a, b) => a - b);
  const low = values[Math.floor(values.length * 0.01)];
  const high = values[Math.ceil(values.length * 0.99) - 1];
  return high > low ? [low, high] : [low - 1e-9, low + 1e-9];
}
