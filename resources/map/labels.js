// Words beside the marks where there is room for them: the more pressing first, none over another, none over a mark.
const LAYERS = [
  { name: "cases", from: 17 },
  { name: "components", from: 18.5 },
];
const MOST_MARKS = 3_000;
const MOST_ASKED = 200;
const SQUARE = 64; // CSS pixels of the grid in which what is taken is looked up
const SIZE = 11;
const GAP = 3;
const FONT = `${SIZE}px "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei", sans-serif`;

export class Labels {
  static title = "labels";

  constructor(room) {
    this.room = room;
    this.widths = new Map();
    this.laid = [];
  }

  paint = { points: this.paintLabels };

  paintLabels(pen, frame) {
    this.laid = [];
    if (this.room.layers.labels === false) return;
    const shown = LAYERS.filter(({ from }) => frame.zoom >= from)
      .map(({ name }) => ({ layer: this.room[name], marks: this.room[name].marks(frame, MOST_MARKS) ?? [] }))
      .filter(({ marks }) => marks.length);
    if (!shown.length) return;
    pen.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    pen.font = FONT;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = 3;
    pen.strokeStyle = this.room.palette.land;
    pen.fillStyle = this.room.palette.text1;
    const taken = new Taken();
    for (const { box } of [...this.room.ground.names, ...this.room.stacks.badges]) taken.add(box);
    for (const { marks } of shown) {
      for (const { x, y } of marks) taken.add([x - 3, y - 3, x + 3, y + 3]);
    }
    for (const { layer, marks } of shown) {
      const unknown = [];
      for (const { slot, x, y } of marks) {
        const text = layer.texts.get(slot);
        if (text === undefined) unknown.push(slot);
        else if (text) this._put(pen, taken, text, x, y, slot);
      }
      if (unknown.length) this._ask(layer, unknown.slice(0, MOST_ASKED));
    }
  }

  // To the right of the mark, else to its left, above or below; else not at all.
  _put(pen, taken, text, x, y, slot) {
    const width = this._width(pen, text);
    const [side, half] = [8, SIZE * 0.65];
    const places = [
      [x + side, y],
      [x - side - width, y],
      [x - width / 2, y - side - half],
      [x - width / 2, y + side + half],
    ];
    for (const [left, middle] of places) {
      const box = [left - GAP, middle - half, left + width + GAP, middle + half];
      if (taken.covers(box)) continue;
      taken.add(box);
      pen.strokeText(text, left, middle);
      pen.fillText(text, left, middle);
      this.laid.push({ slot, text, box });
      return;
    }
  }

  _width(pen, text) {
    let width = this.widths.get(text);
    if (width === undefined) {
      if (this.widths.size > 5_000) this.widths.clear();
      width = pen.measureText(text).width;
      this.widths.set(text, width);
    }
    return width;
  }

  // Python words them; one question is under way at a time, and what it answers is drawn with the rest.
  async _ask(layer, slots) {
    if (this.asking) return;
    this.asking = true;
    for (const slot of slots) layer.texts.set(slot, null);
    try {
      const texts = JSON.parse(await this.room.bridge.labels(layer.name, JSON.stringify(slots)));
      // A slot that has changed since is no longer null: it is asked for again.
      slots.forEach((slot, i) => layer.texts.get(slot) === null && layer.texts.set(slot, texts[i]));
    } finally {
      this.asking = false;
    }
    this.room.sheet.soil("points");
    requestAnimationFrame(() => this.room.sheet.paint());
  }
}

// Boxes by the squares of a grid that they touch.
class Taken {
  constructor() {
    this.squares = new Map();
  }

  add(box) {
    for (const key of touched(box)) {
      const list = this.squares.get(key);
      if (list) list.push(box);
      else this.squares.set(key, [box]);
    }
  }

  covers([left, top, right, bottom]) {
    return touched([left, top, right, bottom]).some((key) =>
      this.squares
        .get(key)
        ?.some((box) => left < box[2] && right > box[0] && top < box[3] && bottom > box[1]),
    );
  }
}

function touched([left, top, right, bottom]) {
  const keys = [];
  for (let column = Math.floor(left / SQUARE); column <= Math.floor(right / SQUARE); column++) {
    for (let row = Math.floor(top / SQUARE); row <= Math.floor(bottom / SQUARE); row++) keys.push(column * 10_000 + row);
  }
  return keys;
}
