// A layer of points that move: drawn on the canvas above the picture, gliding from where they were to where they are.
import { PointLayer, unproject } from "./points.js";
import { drawMark } from "./sprites.js";

const GLIDE_MS = 900; // a little less than the second between two positions
const BEAT_MS = 40; // 25 steps a second look smooth and leave the processor to the rest
const LEAP = 60; // CSS pixels beyond which a mark is put, not pushed: it would race across the map

export class MovingLayer extends PointLayer {
  constructor(room, name, options) {
    super(room, name, options);
    this.gliding = new Map(); // slot -> where it set out, in the unit square, and when
    this.followed = -1;
    this.sections[`points/${name}`].soils = ["above"];
    this.paint = { above: this.paintMarks };
    this.stamp = null;
  }

  absorb(buffer) {
    const generation = super.absorb(buffer);
    if (this.gliding.size) this.room.glide.start();
    if (this.followed >= 0) this._keepUp();
    return generation;
  }

  changed = (slot) => {
    if (slot === undefined) {
      this.gliding.clear();
    } else if (this.columns.drawn(slot)) {
      const now = performance.now();
      this.gliding.set(slot, { ...this.at(slot, now), since: now });
    }
  };

  // Keep one of them in the middle of the window; -1 lets go. A hand on the map lets go as well.
  follow(slot) {
    this.followed = this.columns.drawn(slot) ? slot : -1;
    this.room.bridge.tell("followed", JSON.stringify([this.name, this.followed]));
    if (this.followed >= 0) this._keepUp();
  }

  seized() {
    if (this.followed >= 0) this.follow(-1);
  }

  _keepUp() {
    const { columns, followed } = this;
    if (!columns.drawn(followed)) return this.follow(-1);
    const { map } = this.room;
    this.room.byHand = true; // new data does not fit the map anew meanwhile
    map.panTo(unproject(columns.x[followed], columns.y[followed]), { duration: GLIDE_MS / 1000, easeLinearity: 1 });
  }

  // Where a mark is shown at this moment, in the unit square.
  at(slot, now = performance.now()) {
    const { columns, gliding } = this;
    const from = gliding.get(slot);
    const to = { x: columns.x[slot], y: columns.y[slot] };
    if (!from) return to;
    const share = Math.min(1, (now - from.since) / GLIDE_MS);
    return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
  }

  // Whether anything is still under way where it can be seen.
  step(now, frame) {
    const { columns, gliding } = this;
    let seen = false;
    for (const [slot, from] of gliding) {
      const far = Math.abs(from.x - columns.x[slot]) + Math.abs(from.y - columns.y[slot]);
      if (now - from.since >= GLIDE_MS || far * frame.world > LEAP) gliding.delete(slot);
      seen ||= this.shown && inside(from, frame);
    }
    return seen;
  }

  // Only what there is of it now: most of the time nobody is lost.
  legend() {
    const { columns } = this;
    const there = new Set(columns.style.subarray(0, columns.length));
    return super.legend().filter((_entry, code) => there.has(code));
  }

  radius(_code, zoom) {
    return Math.min(5, Math.max(2.6, 2.6 + (zoom - 12) * 0.5));
  }

  paintMarks(pen, frame) {
    if (!this.shown || this.empty || frame.zoom < this.from) return;
    this._stampPictures(frame);
    const { columns } = this;
    const now = performance.now();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    for (const code of this.order) {
      const { canvas, half } = this.pictures.marks[code];
      for (let slot = 0; slot < columns.length; slot++) {
        if (columns.style[slot] !== code || !columns.drawn(slot)) continue;
        const { x, y } = this.at(slot, now);
        const left = Math.round((x * frame.world - frame.left) * frame.ratio) - half;
        const top = Math.round((y * frame.world - frame.top) * frame.ratio) - half;
        if (left > -2 * half && top > -2 * half && left < frame.deviceWidth && top < frame.deviceHeight) {
          pen.drawImage(canvas, left, top);
        }
      }
    }
  }

  _stampPictures(frame) {
    const radius = this.radius(0, frame.zoom);
    const key = `${radius} ${frame.ratio}`;
    if (this.pictures?.key === key) return;
    const half = Math.ceil((radius * 2 + 2) * frame.ratio);
    const marks = this.styles.map((style) => {
      const canvas = new OffscreenCanvas(2 * half, 2 * half);
      const pen = canvas.getContext("2d", { willReadFrequently: true });
      pen.translate(half, half);
      pen.scale(frame.ratio, frame.ratio);
      drawMark(pen, style, radius, this.room.palette);
      return { canvas, half };
    });
    this.pictures = { key, marks };
  }

  recolour() {
    this.pictures = null;
  }

  // Few enough to be walked through; the last drawn lies on top.
  hit(point) {
    if (!this.shown || this.empty || !this.near) return null;
    const reach = this.radius(0, this.room.map.getZoom()) + 2;
    const now = performance.now();
    for (const code of this.order.toReversed()) {
      for (let slot = this.columns.length - 1; slot >= 0; slot--) {
        if (this.columns.style[slot] !== code || !this.columns.drawn(slot)) continue;
        const place = this._placed(this.at(slot, now));
        if (Math.abs(place.x - point.x) <= reach && Math.abs(place.y - point.y) <= reach) {
          return { layer: this.name, slot };
        }
      }
    }
    return null;
  }

  place(slot) {
    if (!this.shown || !this.near || !this.columns.drawn(slot)) return null;
    return this._placed(this.at(slot));
  }

  _placed({ x, y }) {
    const { map } = this.room;
    const world = 256 * 2 ** map.getZoom();
    const corner = map.getPixelBounds().min;
    return L.point(x * world - corner.x, y * world - corner.y);
  }
}

// Draws the canvas above again and again for as long as something glides in sight.
export class Glide {
  constructor(room) {
    this.room = room;
    this.running = false;
  }

  start() {
    if (this.running) return;
    this.running = true;
    let last = 0;
    const beat = (now) => {
      const { frame } = this.room.sheet;
      if (now - last >= BEAT_MS && frame) {
        last = now;
        const moving = this.room.parts.filter((part) => part instanceof MovingLayer);
        this.running = moving.map((part) => part.step(now, frame)).some(Boolean);
        this.room.sheet.soil("above");
        this.room.sheet.paint();
      }
      if (this.running) requestAnimationFrame(beat);
    };
    requestAnimationFrame(beat);
  }
}

function inside({ x, y }, { left, top, width, height, world }) {
  const [px, py] = [x * world - left, y * world - top];
  return px > -50 && py > -50 && px < width + 50 && py < height + 50;
}
