// The marks of the map, drawn once per size and colour and taken apart into pixels.

const TURN = 2 * Math.PI;

const SMALLEST = 1.1; // of calm marks in a crowd, CSS pixels
const SMALLEST_ALARM = 2;

// Radius of a mark in CSS pixels: comfortable where a street is seen, small where the whole city is, and no larger than
// the crowd leaves room for. `spacing` is the mean distance of the points in CSS pixels. What alarms shrinks less.
export function radiusOf({ calm }, zoom, spacing) {
  const byZoom = Math.min(4.4, Math.max(2.1, 2.1 + (zoom - 12) * 0.5));
  const byCrowd = Math.max(calm ? SMALLEST : SMALLEST_ALARM, 0.42 * spacing);
  return Math.round(Math.min(byZoom, byCrowd) * 10) / 10;
}

export function ringRadius(radius) {
  return radius + 5;
}

// The shapes, each a path around the origin for a radius.
export function circle(pen, r) {
  pen.arc(0, 0, r, 0, TURN);
}

export function triangle(pen, r) {
  const w = r * 1.3;
  pen.moveTo(0, -w * 1.02);
  pen.lineTo(w * 1.05, w * 0.8);
  pen.lineTo(-w * 1.05, w * 0.8);
  pen.closePath();
}

export function diamond(pen, r) {
  const w = r * 1.45;
  pen.moveTo(0, -w);
  pen.lineTo(w, 0);
  pen.lineTo(0, w);
  pen.lineTo(-w, 0);
  pen.closePath();
}

export function square(pen, r) {
  const w = r * 0.92;
  pen.rect(-w, -w, 2 * w, 2 * w);
}

export function bar(pen, r) {
  pen.rect(-r * 1.1, -r * 0.55, r * 2.2, r * 1.1);
}

export function post(pen, r) {
  pen.rect(-r * 0.55, -r * 1.1, r * 1.1, r * 2.2);
}

export function pentagon(pen, r) {
  for (let i = 0; i < 5; i++) {
    const turn = (i / 5) * TURN - TURN / 4;
    pen.lineTo(Math.cos(turn) * r * 1.15, Math.sin(turn) * r * 1.15);
  }
  pen.closePath();
}

// A car seen from the side, so that it is no square turned round.
export function car(pen, r) {
  pen.moveTo(-r * 1.5, r * 0.75);
  pen.lineTo(-r * 1.5, -r * 0.1);
  pen.lineTo(-r * 0.85, -r * 0.25);
  pen.lineTo(-r * 0.5, -r * 0.95);
  pen.lineTo(r * 0.65, -r * 0.95);
  pen.lineTo(r * 1.5, -r * 0.1);
  pen.lineTo(r * 1.5, r * 0.75);
  pen.closePath();
}

// Draw one mark around the origin of `pen`. Its rim has the colour of the land and parts it from its neighbours. An `open`
// one is filled with the land, a `crossed` one is struck through.
export function drawMark(pen, style, radius, palette) {
  const rim = Math.min(2, radius * 0.7);
  pen.lineJoin = "round";
  pen.beginPath();
  style.shape(pen, radius);
  pen.strokeStyle = palette.land;
  pen.lineWidth = style.open ? radius * 0.5 + rim : rim;
  pen.stroke();
  pen.fillStyle = palette[style.open ? "land" : style.colour];
  pen.fill();
  if (style.open) {
    pen.strokeStyle = palette[style.colour];
    pen.lineWidth = Math.max(0.9, radius * 0.42);
    pen.stroke();
  }
  if (style.crossed) {
    pen.beginPath();
    pen.moveTo(-radius * 1.3, radius * 1.3);
    pen.lineTo(radius * 1.3, -radius * 1.3);
    pen.strokeStyle = palette.land;
    pen.lineWidth = radius * 0.9;
    pen.stroke();
    pen.strokeStyle = palette[style.colour];
    pen.lineWidth = Math.max(1, radius * 0.4);
    pen.stroke();
  }
}

// The ring of a selected mark; a `plain` one, for thousands, has no glow.
export function drawRing(pen, radius, palette, plain = false) {
  pen.beginPath();
  pen.arc(0, 0, ringRadius(radius), 0, TURN);
  if (!plain) {
    pen.fillStyle = palette.land;
    pen.globalAlpha = 0.6;
    pen.fill();
    pen.globalAlpha = 1;
    pen.strokeStyle = palette.land;
    pen.lineWidth = 3.6;
    pen.stroke();
  }
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

// The same as offsets into a picture of that width, ready for the inner loop, and as a table of what it covers.
export function lay({ half, solid, soft }, width) {
  const offsets = (list) => Int32Array.from(list, ({ dx, dy }) => dy * width + dx);
  const colours = (list) => Uint32Array.from(list, ({ colour }) => colour);
  const side = 2 * half + 1;
  const covered = new Uint8Array(side * side);
  for (const { dx, dy } of solid) covered[(dy + half) * side + dx + half] = 1;
  return {
    half,
    solidAt: offsets(solid),
    solid: colours(solid),
    softAt: offsets(soft),
    soft: colours(soft),
    covers: (dx, dy) => Math.abs(dx) <= half && Math.abs(dy) <= half && covered[(dy + half) * side + dx + half] === 1,
  };
}

// Write one mark at every place of `at`: a solid pixel is one store, a soft one is blended where something lies beneath.
export function stamp(pixels, at, count, { solidAt, solid, softAt, soft }) {
  const solids = solidAt.length;
  const softs = softAt.length;
  if (!softs) {
    for (let i = 0; i < count; i++) {
      const middle = at[i];
      for (let k = 0; k < solids; k++) pixels[middle + solidAt[k]] = solid[k];
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const middle = at[i];
    for (let k = 0; k < solids; k++) pixels[middle + solidAt[k]] = solid[k];
    for (let k = 0; k < softs; k++) {
      const under = pixels[middle + softAt[k]];
      pixels[middle + softAt[k]] = under === 0 ? soft[k] : blend(under, soft[k]);
    }
  }
}

// Straight alpha in whole numbers, red in the lowest byte.
function blend(under, over) {
  const a = over >>> 24;
  const b = (((under >>> 24) * (255 - a)) / 255) | 0;
  const sum = a + b;
  const red = (((over & 255) * a + (under & 255) * b) / sum) | 0;
  const green = ((((over >>> 8) & 255) * a + ((under >>> 8) & 255) * b) / sum) | 0;
  const blue = ((((over >>> 16) & 255) * a + ((under >>> 16) & 255) * b) / sum) | 0;
  return ((sum << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
