// The heat map: how many of the cases shown there are in a square kilometre around each place. A sum of Gaussian bells
// whose width is a round number of metres, so that the legend can say what the colours mean.
import { HIDDEN } from "./columns.js";

const CELL = 4; // CSS pixels of a square of the grid
const WIDTH = 28; // CSS pixels the standard deviation should be near
const BOXES = 4; // so many runs of a moving mean come within a tenth of a Gaussian bell
const FINER = 2; // points of the picture in a square of the grid, each way
const SHADES = 5; // density1 to density5
const OPACITY = 0.7;
const EQUATOR = 40075016.686; // metres

export class Density {
  static title = "density";

  constructor(room) {
    this.room = room;
    this.steps = [];
    this.most = 0; // the greatest density in the window
  }

  paint = { points: this.paintDensity };

  get shown() {
    return this.room.layers.density === true;
  }

  // Under the marks: what is already in the picture of the points stays on top.
  paintDensity(pen, frame) {
    this.steps = [];
    if (!this.shown || this.room.cases.empty) return;
    const grid = this._count(frame);
    const sigma = this.metres / this._perPixel(frame) / CELL;
    for (const half of boxesFor(sigma)) smooth(grid, half);
    // From cases in a square of the grid to cases in a square kilometre.
    const area = ((CELL * this._perPixel(frame)) / 1000) ** 2;
    let most = 0;
    for (let i = 0; i < grid.values.length; i++) {
      grid.values[i] /= area;
      most = Math.max(most, grid.values[i]);
    }
    if (!most) return;
    this.most = most;
    this.steps = steps(most);
    pen.save();
    pen.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    pen.globalCompositeOperation = "destination-over";
    pen.globalAlpha = OPACITY;
    pen.imageSmoothingEnabled = true;
    pen.drawImage(this._colour(grid), 0, 0, grid.wide * CELL, grid.high * CELL);
    pen.restore();
  }

  _perPixel({ top, height, world }) {
    const latitude = Math.atan(Math.sinh((0.5 - (top + height / 2) / world) * 2 * Math.PI));
    return (EQUATOR * Math.cos(latitude)) / world;
  }

  // The cases in each square, with a border of three bells so that those just outside count.
  _count(frame) {
    const { columns, rank } = this.room.cases;
    const { ox, oy, code } = columns;
    this.metres = round(WIDTH * this._perPixel(frame));
    const reach = Math.ceil((3 * this.metres) / this._perPixel(frame));
    const wide = Math.ceil(frame.width / CELL);
    const high = Math.ceil(frame.height / CELL);
    const border = Math.ceil(reach / CELL);
    const [columnsAll, rowsAll] = [wide + 2 * border, high + 2 * border];
    const values = new Float32Array(columnsAll * rowsAll);
    const scale = frame.world / CELL;
    const dx = (columns.left * frame.world - frame.left) / CELL + border;
    const dy = (columns.top * frame.world - frame.top) / CELL + border;
    const { left, top, width, height, world } = frame;
    const ranges = columns.ranges(
      (left - reach) / world,
      (top - reach) / world,
      (left + width + reach) / world,
      (top + height + reach) / world,
    );
    for (let pair = 0; pair < ranges.length; pair += 2) {
      for (let i = ranges[pair], to = ranges[pair + 1]; i < to; i++) {
        if (rank[code[i]] === HIDDEN) continue;
        const x = ox[i] * scale + dx;
        const y = oy[i] * scale + dy;
        if (x >= 0 && y >= 0 && x < columnsAll && y < rowsAll) values[(y | 0) * columnsAll + (x | 0)]++;
      }
    }
    return { values, columnsAll, rowsAll, border, wide, high };
  }

  // Twice as fine as the grid, so that the shades have no steps at their edges.
  _colour({ values, columnsAll, border, wide, high }) {
    const canvas = new OffscreenCanvas(wide * FINER, high * FINER);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const colours = this.steps.map((_limit, i) => pixelOf(pen, this.room.palette[`density${i + 1}`]));
    const image = pen.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    const lowest = this.steps[0];
    for (let y = 0, at = 0; y < canvas.height; y++) {
      const row = (y + 0.5) / FINER - 0.5;
      const down = row - Math.floor(row);
      const above = (Math.floor(row) + border) * columnsAll + border;
      for (let x = 0; x < canvas.width; x++, at++) {
        const column = (x + 0.5) / FINER - 0.5;
        const right = column - Math.floor(column);
        const i = above + Math.floor(column);
        const upper = values[i] + (values[i + 1] - values[i]) * right;
        const lower = values[i + columnsAll] + (values[i + columnsAll + 1] - values[i + columnsAll]) * right;
        const value = upper + (lower - upper) * down;
        if (value < lowest) continue;
        let step = this.steps.length - 1;
        while (value < this.steps[step]) step--;
        pixels[at] = colours[step];
      }
    }
    pen.putImageData(image, 0, 0);
    return canvas;
  }

  legend() {
    if (!this.shown || !this.steps.length) return [];
    const { words } = this.room;
    const title = words.density.replace("{metres}", this.metres.toLocaleString());
    return [
      { words: title },
      ...this.steps.map((limit, i) => ({
        words: `≥ ${limit.toLocaleString()}`,
        key: i,
        draw: (pen, palette) => {
          pen.fillStyle = palette[`density${i + 1}`];
          pen.fillRect(-6, -5, 12, 10);
        },
      })),
    ];
  }
}

// Limits of the shades: each double the one before, the uppermost a round number at or below the greatest density.
function steps(most) {
  const top = round(most, Math.floor);
  const limits = Array.from({ length: SHADES }, (_, i) => top / 2 ** (SHADES - 1 - i));
  return limits.map((limit) => Number(limit.toPrecision(2)));
}

// The nearest of 1, 2, 5 × 10ⁿ; with `Math.floor` the one at or below.
function round(value, way = Math.round) {
  const power = 10 ** Math.floor(Math.log10(value));
  const lead = value / power;
  if (way === Math.floor) return power * (lead >= 5 ? 5 : lead >= 2 ? 2 : 1);
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

// Half widths of moving means that, run one after the other, spread like a bell of this standard deviation: of two
// neighbouring odd widths as many as make the variance right.
function boxesFor(sigma) {
  const ideal = Math.sqrt((12 * sigma * sigma) / BOXES + 1);
  const narrow = 2 * Math.floor((ideal - 1) / 2) + 1;
  const few = (BOXES * (narrow * narrow + 4 * narrow + 3) - 12 * sigma * sigma) / (4 * narrow + 4);
  return Array.from({ length: BOXES }, (_, i) => (i < Math.round(few) ? narrow - 1 : narrow + 1) / 2);
}

// One run of a moving mean over rows and columns.
function smooth({ values, columnsAll, rowsAll }, half) {
  const line = new Float32Array(Math.max(columnsAll, rowsAll));
  for (let y = 0; y < rowsAll; y++) slide(values, y * columnsAll, 1, columnsAll, half, line);
  for (let x = 0; x < columnsAll; x++) slide(values, x, columnsAll, rowsAll, half, line);
}

function slide(values, first, step, length, half, line) {
  const share = 1 / (2 * half + 1);
  let sum = 0;
  for (let i = 0; i < Math.min(half, length); i++) sum += values[first + i * step];
  for (let i = 0; i < length; i++) {
    if (i + half < length) sum += values[first + (i + half) * step];
    if (i - half - 1 >= 0) sum -= values[first + (i - half - 1) * step];
    line[i] = sum * share;
  }
  for (let i = 0; i < length; i++) values[first + i * step] = line[i];
}

function pixelOf(pen, colour) {
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  const pixel = new Uint32Array(pen.getImageData(0, 0, 1, 1).data.buffer)[0];
  pen.clearRect(0, 0, 1, 1);
  return pixel;
}
