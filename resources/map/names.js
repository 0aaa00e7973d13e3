// Where names stand: areas at their label point, roads along their line, none over another.
import { GRADES } from "./grades.js";

const FAMILY = '"Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei", sans-serif';
const REPEAT = 440; // CSS pixels between two names of one road
const SAME_NAME_APART = 260;
const GAP = 5;
const LEADING = 1.12; // of stacked characters

const KINDS = {
  district: { size: 15, weight: 600, colour: "text1", halo: 4 },
  community: { size: 12, weight: 400, colour: "text2", halo: 3 },
  main: { size: 12, weight: 400, colour: "text2", halo: 3 },
  side: { size: 12, weight: 400, colour: "text3", halo: 3 },
  lane: { size: 11, weight: 400, colour: "text3", halo: 3 },
  shape: { size: 12, weight: 400, colour: "text3", halo: 3 },
};

const HAN = /\p{Script=Han}/u;

// Names in order of rank; each has box [left, top, right, bottom] in CSS pixels of the frame and draw(pen, palette).
export function layNames(pen, frame, shapes, layers, place) {
  const taken = [];
  const laid = [];
  const put = (name) => {
    const [left, top, right, bottom] = name.box;
    if (right < 0 || bottom < 0 || left > frame.width || top > frame.height) return false;
    if (taken.some((box) => left < box[2] + GAP && right > box[0] - GAP && top < box[3] + GAP && bottom > box[1] - GAP)) {
      return false;
    }
    taken.push(name.box);
    laid.push(name);
    return true;
  };
  const putArea = (kind, { code, name, label }) => put({ ...level(pen, kind, name, place(label)), area: { kind, code } });

  if (layers.districts) for (const each of shapes.districts) putArea("district", each);
  if (layers.names) layRoads(pen, frame, shapes, place, put, "main");
  if (layers.communities && frame.zoom >= 14.25) for (const each of shapes.communities) putArea("community", each);
  if (layers.names) {
    layRoads(pen, frame, shapes, place, put, "side");
    if (layers.water && frame.zoom >= 12.5) layShapes(pen, frame, shapes.waters, place, put);
    if (layers.parks && frame.zoom >= 14) layShapes(pen, frame, shapes.parks, place, put);
    layRoads(pen, frame, shapes, place, put, "lane");
  }
  return laid;
}

function layRoads(pen, frame, shapes, place, put, grade) {
  if (frame.zoom < GRADES[grade].named) return;
  const scale = 2 ** (frame.zoom - shapes.zoom);
  const seen = new Map();
  for (const road of shapes.roads) {
    if (road.grade !== grade || !road.name) continue;
    const { size } = KINDS[grade];
    const span = road.name.length * size * LEADING;
    const sums = (road.sums ??= runningLength(road.line));
    const whole = sums[sums.length - 1] * scale;
    if (whole < span + 16) continue;
    // Places are counted from the road's own beginning, so a name stays on its spot while the map is panned.
    const count = Math.max(1, Math.floor(whole / REPEAT));
    const others = seen.get(road.name) ?? [];
    for (let i = 0; i < count; i++) {
      const middle = (whole * (i + 0.5)) / count;
      const [x, y] = place(along(road.line, sums, middle / scale));
      if (x < -80 || y < -80 || x > frame.width + 80 || y > frame.height + 80) continue;
      if (others.some(([ox, oy]) => Math.hypot(ox - x, oy - y) < SAME_NAME_APART)) continue;
      const from = place(along(road.line, sums, (middle - span / 2) / scale));
      const to = place(along(road.line, sums, (middle + span / 2) / scale));
      if (Math.hypot(to[0] - from[0], to[1] - from[1]) < 0.92 * span) continue; // too bent to read
      if (put(onRoad(pen, grade, road.name, [x, y], from, to))) others.push([x, y]);
    }
    seen.set(road.name, others);
  }
}

function layShapes(pen, frame, list, place, put) {
  for (const shape of list) {
    if (!shape.name) continue;
    shape.middle ??= middleOf(shape.rings[0] ?? [0, 0]);
    put(level(pen, "shape", shape.name, place(shape.middle)));
  }
}

function fontOf(kind) {
  const { size, weight } = KINDS[kind];
  return `${weight} ${size}px ${FAMILY}`;
}

const widths = new Map();

function widthOf(pen, kind, text) {
  const key = `${kind} ${text}`;
  if (!widths.has(key)) {
    pen.font = fontOf(kind);
    widths.set(key, pen.measureText(text).width);
  }
  return widths.get(key);
}

// A level name around a place.
function level(pen, kind, text, [x, y]) {
  const width = widthOf(pen, kind, text);
  const { size } = KINDS[kind];
  return {
    box: [x - width / 2, y - size * 0.6, x + width / 2, y + size * 0.6],
    draw: (brush, palette) => write(brush, palette, kind, [[text, x, y]]),
  };
}

// A name on its road: level or slanted as the road runs; on a steep road Chinese is stacked, never laid on its side.
function onRoad(pen, kind, text, [x, y], from, to) {
  let angle = Math.atan2(to[1] - from[1], to[0] - from[0]);
  if (angle > Math.PI / 2) angle -= Math.PI;
  if (angle <= -Math.PI / 2) angle += Math.PI;
  const { size } = KINDS[kind];
  if (HAN.test(text) && Math.abs(angle) > Math.PI / 3.6) {
    const [upper, lower] = from[1] < to[1] ? [from, to] : [to, from];
    const letters = [...text];
    const step = size * LEADING;
    const slope = (lower[0] - upper[0]) / Math.max(1, lower[1] - upper[1]);
    const rows = letters.map((letter, i) => {
      const dy = (i - (letters.length - 1) / 2) * step;
      return [letter, x + dy * slope, y + dy];
    });
    const reach = (letters.length * step) / 2;
    const lean = Math.abs(slope) * reach + size * 0.6;
    return {
      box: [x - lean, y - reach, x + lean, y + reach],
      draw: (brush, palette) => write(brush, palette, kind, rows),
    };
  }
  const half = widthOf(pen, kind, text) / 2;
  const wide = half * Math.abs(Math.cos(angle)) + size * 0.6 * Math.abs(Math.sin(angle));
  const high = half * Math.abs(Math.sin(angle)) + size * 0.6 * Math.abs(Math.cos(angle));
  return {
    box: [x - wide, y - high, x + wide, y + high],
    draw: (brush, palette) => {
      brush.save();
      brush.translate(x, y);
      brush.rotate(angle);
      write(brush, palette, kind, [[text, 0, 0]]);
      brush.restore();
    },
  };
}

function write(pen, palette, kind, pieces) {
  const { colour, halo } = KINDS[kind];
  pen.font = fontOf(kind);
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.strokeStyle = palette.land;
  pen.lineWidth = halo;
  for (const [text, x, y] of pieces) pen.strokeText(text, x, y);
  pen.fillStyle = palette[colour];
  for (const [text, x, y] of pieces) pen.fillText(text, x, y);
}

// Length of the line up to each of its points.
function runningLength(line) {
  const sums = [0];
  for (let i = 2; i < line.length; i += 2) {
    sums.push(sums.at(-1) + Math.hypot(line[i] - line[i - 2], line[i + 1] - line[i - 1]));
  }
  return sums;
}

function along(line, sums, length) {
  let i = sums.findIndex((sum) => sum >= length);
  if (i < 0) i = sums.length - 1;
  if (i === 0) return [line[0], line[1]];
  const share = (length - sums[i - 1]) / (sums[i] - sums[i - 1] || 1);
  const at = (k) => line[2 * i - 2 + k] + share * (line[2 * i + k] - line[2 * i - 2 + k]);
  return [at(0), at(1)];
}

// A point inside a ring: the middle of the widest stretch on the level of its centre.
function middleOf(ring) {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 1; i < ring.length; i += 2) {
    low = Math.min(low, ring[i]);
    high = Math.max(high, ring[i]);
  }
  const y = (low + high) / 2;
  const crossings = [];
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    if (ring[i + 1] > y !== ring[j + 1] > y) {
      crossings.push(ring[i] + ((y - ring[i + 1]) / (ring[j + 1] - ring[i + 1])) * (ring[j] - ring[i]));
    }
  }
  crossings.sort((a, b) => a - b);
  let best = [ring[0], ring[0]];
  for (let i = 0; i + 1 < crossings.length; i += 2) {
    if (crossings[i + 1] - crossings[i] > best[1] - best[0]) best = [crossings[i], crossings[i + 1]];
  }
  return [(best[0] + best[1]) / 2, y];
}
