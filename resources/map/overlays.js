// Shapes that Python lays over the ground for a while: faults of the grid, what the hours allow, sensitive places, the
// preview of a moved border. Each is { rings, fill, stroke, dash, hatch, words } with rings in degrees and colours as
// tokens of the palette.
import { project } from "./datum.js";

const FONT = '11px "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei", sans-serif';
const HATCH = 8; // CSS pixels between two lines
const CLOSE = 16; // from this zoom on words may be wider than their shape
const GAP = 4; // CSS pixels between two words

export class Overlays {
  static title = "overlays";

  constructor(room) {
    this.room = room;
    this.shapes = [];
    this.entries = [];
  }

  sections = { overlays: { json: this.take, after: "base", soils: ["base"] } };

  paint = { base: this.paintShapes };

  take({ shapes, legend }) {
    this.entries = legend;
    this.shapes = shapes.map((shape) => {
      const rings = shape.rings.map((ring) => ring.map(([lon, lat]) => project(lon, lat)));
      const xs = rings.flat().map(([x]) => x);
      const ys = rings.flat().map(([, y]) => y);
      return { ...shape, rings, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
    });
  }

  legend() {
    return this.entries.map(({ words, dash: _none, ...style }) => ({
      words,
      key: JSON.stringify(style),
      draw: (pen, palette) => this._fill(pen, squarePath(), style, palette, 1),
    }));
  }

  paintShapes(pen, frame) {
    const { palette } = this.room;
    const { world, ratio, left, top, width, height } = frame;
    const place = ([x, y]) => [x * world - left, y * world - top];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const said = [];
    for (const shape of this.shapes) {
      const [west, north] = place(shape.box);
      const [east, south] = place(shape.box.slice(2));
      if (east < 0 || south < 0 || west > width || north > height) continue;
      const path = new Path2D();
      for (const ring of shape.rings) {
        ring.forEach((corner, i) => (i ? path.lineTo(...place(corner)) : path.moveTo(...place(corner))));
        path.closePath();
      }
      this._fill(pen, path, shape, palette, ratio);
      if (shape.words) said.push({ words: shape.words, room: east - west, x: (west + east) / 2, y: (north + south) / 2 });
    }
    this._say(pen, said, frame.zoom);
  }

  // Words where there is room for them, none over another.
  _say(pen, said, zoom) {
    const { palette } = this.room;
    const taken = [];
    pen.font = FONT;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.strokeStyle = palette.land;
    pen.fillStyle = palette.text2;
    pen.lineWidth = 3;
    for (const { words, room, x, y } of said) {
      const half = pen.measureText(words).width / 2;
      if (zoom < CLOSE && room < 2 * half) continue;
      const box = [x - half - GAP, y - 7 - GAP, x + half + GAP, y + 7 + GAP];
      if (taken.some((each) => box[0] < each[2] && box[2] > each[0] && box[1] < each[3] && box[3] > each[1])) continue;
      taken.push(box);
      pen.strokeText(words, x, y);
      pen.fillText(words, x, y);
    }
  }

  _fill(pen, path, { fill, stroke, dash, hatch }, palette, ratio) {
    if (fill) {
      pen.globalAlpha = 0.2;
      pen.fillStyle = palette[fill];
      pen.fill(path, "evenodd");
    }
    if (hatch) {
      pen.globalAlpha = 0.7;
      pen.fillStyle = lines(pen, palette[hatch], ratio);
      pen.fill(path, "evenodd");
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = palette[stroke];
    pen.lineWidth = 1.5;
    pen.setLineDash(dash ? [5, 4] : []);
    pen.stroke(path);
    pen.setLineDash([]);
  }
}

function squarePath() {
  const path = new Path2D();
  path.rect(-5, -5, 10, 10);
  return path;
}

// Slanting lines that keep their distance at any zoom.
function lines(pen, colour, ratio) {
  const side = Math.round(HATCH * ratio);
  const tile = document.createElement("canvas");
  tile.width = tile.height = side;
  const brush = tile.getContext("2d");
  brush.strokeStyle = colour;
  brush.lineWidth = ratio;
  for (const shift of [-side, 0, side]) {
    brush.moveTo(shift, side);
    brush.lineTo(shift + side, 0);
  }
  brush.stroke();
  const pattern = pen.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern;
}
