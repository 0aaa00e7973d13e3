// The ground as the database knows it, quieter than anything that lies on it. Land is what lies under a picture map and
// under coloured areas, Ground what stays to be seen above them.
import { GRADES } from "./grades.js";
import { layNames } from "./names.js";

const CELLS_FROM = 14.25;
const CELLS_PER_PIECE = 256; // a piece outside the window is skipped as a whole
const HEAT_STEPS = 5;
const HEAT_MOST = 0.3; // opacity of the hottest cell

export class Land {
  static title = "land";

  constructor(room) {
    this.room = room;
  }

  paint = { base: (pen, frame) => this.room.ground.paintLand(pen, frame) };
}

export class Ground {
  static title = "ground";

  constructor(room) {
    this.room = room;
    this.empty = true;
    this.attribution = "";
    this.bounds = null;
    this.names = [];
    this.pieces = [];
    this.heat = new Float32Array(0);
  }

  setShapes(shapes) {
    this.shapes = shapes;
    this.empty = false;
    this.attribution = shapes.attribution;
    this.bounds = shapes.bounds;
    const areas = (list) => closed(list.flatMap(({ rings }) => rings));
    this.paths = {
      outline: closed(shapes.outline),
      districts: areas(shapes.districts),
      communities: areas(shapes.communities),
      waters: areas(shapes.waters),
      parks: areas(shapes.parks),
      streams: opened(shapes.streams.map(({ line }) => line)),
    };
    for (const grade of Object.keys(GRADES)) {
      this.paths[grade] = opened(shapes.roads.filter((road) => road.grade === grade).map(({ line }) => line));
    }
  }

  // int32 offsets[cells + 1], then float32 x, y of every corner.
  setCells(buffer) {
    const { cells } = this.shapes;
    const offsets = new Int32Array(buffer, 0, cells + 1);
    const corners = new Float32Array(buffer, 4 * (cells + 1));
    this.cellRings = Array.from({ length: cells }, (_, i) => corners.subarray(2 * offsets[i], 2 * offsets[i + 1]));
    this.pieces = [];
    for (let first = 0; first < cells; first += CELLS_PER_PIECE) {
      const rings = this.cellRings.slice(first, first + CELLS_PER_PIECE);
      this.pieces.push({ first, path: closed(rings), box: boxOf(rings) });
    }
    this.setHeat(this.heat);
  }

  setHeat(strength) {
    this.heat = strength;
    for (const piece of this.pieces) {
      piece.steps = Array.from({ length: HEAT_STEPS }, () => new Path2D());
      const last = Math.min(piece.first + CELLS_PER_PIECE, strength.length);
      for (let cell = piece.first; cell < last; cell++) {
        const step = Math.round(Math.min(1, strength[cell]) * HEAT_STEPS) - 1;
        if (step >= 0) trace(piece.steps[step], this.cellRings[cell], true);
      }
    }
  }

  sections = {
    base: { json: this.setShapes, soils: ["base", "points"] },
    cells: { bytes: this.setCells, after: "base", soils: ["base"] },
    heat: { bytes: (buffer) => this.setHeat(new Float32Array(buffer)), after: "cells", soils: ["base"] },
  };

  paint = { base: this.paintLines, points: this.paintNames };

  // Land, parks and water.
  paintLand(pen, frame) {
    const { palette, layers } = this.room;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.globalAlpha = 1;
    const bounded = !this.empty && this.shapes.outline.length > 0;
    pen.fillStyle = bounded ? palette.ground : palette.land;
    pen.fillRect(0, 0, frame.deviceWidth, frame.deviceHeight);
    if (this.empty) return;

    const { paths } = this;
    const { stroke, fill } = this._brushes(pen, frame);
    if (bounded) fill(paths.outline, "land");
    if (layers.parks) fill(paths.parks, "park");
    if (layers.heat) this._cells(pen, frame, ({ steps }) => {
      steps.forEach((step, i) => fill(step, "heat", (HEAT_MOST * (i + 1)) / HEAT_STEPS));
    });
    if (layers.water) {
      fill(paths.waters, "water");
      stroke(paths.streams, "water", widthAt(5, frame.zoom));
    }
    // Under a picture map, so that they fill its holes.
    if (layers.roads && this.room.tiles?.isOn) this._roads(stroke, frame);
  }

  // Roads, unless a picture map lies over them, then borders and names.
  paintLines(pen, frame) {
    const { layers, tiles } = this.room;
    this.names = [];
    if (this.empty) return;
    const { paths } = this;
    const { stroke } = this._brushes(pen, frame);
    const covered = tiles?.covers ?? false;
    if (layers.roads && !tiles?.isOn) this._roads(stroke, frame);
    if (layers.cells && frame.zoom >= CELLS_FROM) this._cells(pen, frame, ({ path }) => stroke(path, "line", 0.75, 0.55));
    if (layers.communities && frame.zoom >= 14) stroke(paths.communities, "text3", 1, 0.35, [2, 4]);
    if (layers.districts) {
      stroke(paths.districts, "text3", 1, 0.5, [6, 5]);
      stroke(paths.outline, "text3", 1.5, 0.7);
    }
    pen.globalAlpha = 1;
    pen.setLineDash([]);
    this._names(pen, frame, covered);
  }

  // The rims of all roads lie under all of them, so that no rim crosses a junction.
  _roads(stroke, frame) {
    const seen = Object.entries(GRADES).filter(([, { from }]) => frame.zoom >= from);
    for (const [grade, { width }] of seen) {
      const css = widthAt(width, frame.zoom);
      if (css > 2.5) stroke(this.paths[grade], "pressed", css + 2);
    }
    for (const [grade, { width, colour }] of seen) stroke(this.paths[grade], colour, widthAt(width, frame.zoom));
  }

  // Puts the pen into local units; lengths are CSS pixels all the same.
  _brushes(pen, frame) {
    const { palette } = this.room;
    const px = 1 / this.enter(pen, frame);
    pen.lineJoin = "round";
    pen.lineCap = "round";
    const stroke = (path, colour, width, alpha = 1, dash = []) => {
      pen.globalAlpha = alpha;
      pen.strokeStyle = palette[colour];
      pen.lineWidth = width * px;
      pen.setLineDash(dash.map((length) => length * px));
      pen.stroke(path);
    };
    const fill = (path, colour, alpha = 1) => {
      pen.globalAlpha = alpha;
      pen.fillStyle = palette[colour];
      pen.fill(path);
    };
    return { stroke, fill };
  }

  // Names of districts and communities lie above the points, so that a crowd cannot hide where one is.
  paintNames(pen, frame) {
    const { palette } = this.room;
    pen.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    for (const name of this.names) if (name.area) name.draw(pen, palette);
  }

  // The district or community whose name is at that place of the window.
  hit(point) {
    const area = this._nameAt(point);
    return area ? { area } : null;
  }

  click({ area }) {
    this.room.bridge.pick_area(area.kind, area.code);
  }

  _nameAt(point) {
    const { frame } = this.room.sheet;
    if (!frame) return null;
    const corner = this.room.map.getPixelBounds().min;
    const x = point.x + corner.x - frame.left;
    const y = point.y + corner.y - frame.top;
    const hit = this.names.find(({ area, box }) => area && x >= box[0] && y >= box[1] && x <= box[2] && y <= box[3]);
    return hit?.area ?? null;
  }

  // A picture map brings the names of roads and waters with it.
  _names(pen, frame, covered) {
    const { palette, layers } = this.room;
    const shown = covered ? { ...layers, names: false } : layers;
    pen.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    this.names = layNames(pen, frame, this.shapes, shown, (local) => this.place(frame, local));
    for (const name of this.names) if (!name.area) name.draw(pen, palette);
  }

  // Put the pen into local units; returns CSS pixels per unit.
  enter(pen, frame) {
    const scale = 2 ** (frame.zoom - this.shapes.zoom);
    const [x, y] = this.place(frame, [0, 0]);
    pen.setTransform(scale * frame.ratio, 0, 0, scale * frame.ratio, x * frame.ratio, y * frame.ratio);
    return scale;
  }

  // Every ring of the areas of a level, in local units.
  ringsOf(level) {
    if (this.empty) return [];
    return level === "cell" ? this.cellRings : this.shapes[LISTS[level]].flatMap(({ rings }) => rings);
  }

  // Where local units lie in the frame, in CSS pixels.
  place(frame, [x, y]) {
    const scale = 2 ** (frame.zoom - this.shapes.zoom);
    const [originX, originY] = this.shapes.origin;
    return [originX * frame.world - frame.left + x * scale, originY * frame.world - frame.top + y * scale];
  }

  // Calls draw with each piece of cells that is in the window.
  _cells(pen, frame, draw) {
    const scale = 2 ** (frame.zoom - this.shapes.zoom);
    const [x, y] = this.place(frame, [0, 0]);
    for (const piece of this.pieces) {
      const [left, top, right, bottom] = piece.box;
      if (right * scale + x < 0 || bottom * scale + y < 0) continue;
      if (left * scale + x > frame.width || top * scale + y > frame.height) continue;
      draw(piece);
    }
  }
}

// The level of an area and the list of the shapes that holds it.
export const LISTS = { district: "districts", community: "communities", patrol: "patrols" };

function widthAt(width, zoom) {
  return width * 2 ** ((zoom - 15) * 0.6);
}

function trace(path, flat, close) {
  path.moveTo(flat[0], flat[1]);
  for (let i = 2; i < flat.length; i += 2) path.lineTo(flat[i], flat[i + 1]);
  if (close) path.closePath();
}

function pathOf(lines, close) {
  const path = new Path2D();
  for (const line of lines) if (line.length > 2) trace(path, line, close);
  return path;
}

const closed = (rings) => pathOf(rings, true);
const opened = (lines) => pathOf(lines, false);

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
