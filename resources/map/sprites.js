// The marks of the map, drawn once per size and colour and taken apart into pixels.

const TURN = 2 * Math.PI;

// Shape and colour of each style; the order within a layer is Python's style code.
export const STYLES = {
  cases: [
    { word: "on_time", colour: "on_time_fill", shape: circle },
    { word: "soon", colour: "soon_fill", shape: triangle },
    { word: "over", colour: "over_fill", shape: diamond },
    { word: "no_clock", colour: "no_clock_fill", shape: hollow },
  ],
  people: [
    { word: "person", colour: "collector", shape: square },
    { word: "person_stale", colour: "collector", shape: square, faded: true },
  ],
};

// From calm to alarming: what is drawn later lies on top.
export const PASSES = [
  ["cases", 3],
  ["cases", 0],
  ["people", 1],
  ["people", 0],
  ["cases", 1],
  ["cases", 2],
];

const CALM = new Set(["on_time", "no_clock"]);
const SMALLEST = 1.1; // of calm marks in a crowd, CSS pixels
const SMALLEST_ALARM = 2;

// Radius of a mark in CSS pixels: comfortable where a street is seen, small where the whole city is, and no larger than
// the crowd leaves room for. `spacing` is the mean distance of cases in CSS pixels. What alarms shrinks less.
export function radiusOf({ word }, zoom, spacing) {
  const byZoom = Math.min(4.4, Math.max(2.1, 2.1 + (zoom - 12) * 0.5));
  const byCrowd = Math.max(CALM.has(word) ? SMALLEST : SMALLEST_ALARM, 0.42 * spacing);
  return Math.round(Math.min(byZoom, byCrowd) * 10) / 10;
}

export function ringRadius(radius) {
  return radius + 5;
}

function circle(pen, r) {
  pen.arc(0, 0, r, 0, TURN);
}

function triangle(pen, r) {
  const w = r * 1.3;
  pen.moveTo(0, -w * 1.02);
  pen.lineTo(w * 1.05, w * 0.8);
  pen.lineTo(-w * 1.05, w * 0.8);
  pen.closePath();
}

function diamond(pen, r) {
  const w = r * 1.45;
  pen.moveTo(0, -w);
  pen.lineTo(w, 0);
  pen.lineTo(0, w);
  pen.lineTo(-w, 0);
  pen.closePath();
}

function hollow(pen, r) {
  pen.arc(0, 0, r * 0.85, 0, TURN);
}

function square(pen, r) {
  const w = r * 0.92;
  pen.rect(-w, -w, 2 * w, 2 * w);
}

// Draw one mark around the origin of `pen`.
export function drawMark(pen, style, radius, palette) {
  const edge = Math.min(2, radius * 0.7); // half of it lies outside the mark and parts it from its neighbours
  pen.lineJoin = "round";
  pen.globalAlpha = style.faded ? 0.45 : 1;
  pen.beginPath();
  style.shape(pen, radius);
  if (style.shape === hollow) {
    pen.strokeStyle = palette.land;
    pen.lineWidth = radius * 0.5 + edge;
    pen.stroke();
    pen.fillStyle = palette.land;
    pen.fill();
    pen.strokeStyle = palette[style.colour];
    pen.lineWidth = Math.max(0.9, radius * 0.42);
    pen.stroke();
  } else {
    pen.strokeStyle = palette.land;
    pen.lineWidth = edge;
    pen.stroke();
    pen.fillStyle = palette[style.colour];
    pen.fill();
  }
  pen.globalAlpha = 1;
}

export function drawRing(pen, radius, palette) {
  pen.beginPath();
  pen.arc(0, 0, ringRadius(radius), 0, TURN);
  pen.fillStyle = palette.land;
  pen.globalAlpha = 0.6;
  pen.fill();
  pen.globalAlpha = 1;
  pen.strokeStyle = palette.land;
  pen.lineWidth = 3.6;
  pen.stroke();
  pen.strokeStyle = palette.accent;
  pen.lineWidth = 2;
  pen.stroke();
}

// A picture as two lists of pixels around its middle: opaque ones are written, the others blended. A mark that is not
// translucent by design becomes all opaque: its rim has the colour of the land, so no step shows, and drawing is nine
// times as fast.
export function rasterise(draw, reach, ratio, translucent) {
  const half = Math.ceil((reach + 2) * ratio);
  const side = 2 * half + 1;
  const canvas = new OffscreenCanvas(side, side);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.translate(half + 0.5, half + 0.5);
  pen.scale(ratio, ratio);
  draw(pen);
  const pixels = new Uint32Array(pen.getImageData(0, 0, side, side).data.buffer);
  const solid = [];
  const soft = [];
  pixels.forEach((colour, at) => {
    const alpha = colour >>> 24;
    if (alpha < (translucent ? 1 : 128)) return;
    const pixel = { dx: (at % side) - half, dy: Math.floor(at / side) - half, colour };
    if (translucent && alpha < 250) soft.push(pixel);
    else solid.push({ ...pixel, colour: (colour | (255 << 24)) >>> 0 });
  });
  return { half, solid, soft };
}

// The same as offsets into a picture of that width, ready for the inner loop.
export function lay(sprite, width) {
  const offsets = (list) => Int32Array.from(list, ({ dx, dy }) => dy * width + dx);
  const colours = (list) => Uint32Array.from(list, ({ colour }) => colour);
  return {
    half: sprite.half,
    solidAt: offsets(sprite.solid),
    solid: colours(sprite.solid),
    softAt: offsets(sprite.soft),
    soft: colours(sprite.soft),
  };
}
