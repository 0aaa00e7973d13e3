// Measures the page from inside for `jingwei bench map`: intervals between frames, time to find a mark. Nobody else loads it.
let last = 0;
let intervals = [];

// Note the length of every frame from now on.
export function record() {
  intervals = [];
  last = 0;
}

export function recorded() {
  return intervals;
}

function note(now) {
  if (last) intervals.push(now - last);
  last = now;
  requestAnimationFrame(note);
}

requestAnimationFrame(note);

// Milliseconds of finding what lies under each of `count` places spread over the window.
export function picks(room, count) {
  const { x: width, y: height } = room.map.getSize();
  return Array.from({ length: count }, (_, i) => {
    const point = L.point((i * 7919) % width, (i * 104729) % height);
    const start = performance.now();
    room.hit(point);
    return performance.now() - start;
  });
}

// Milliseconds of drawing the points anew.
export function repaint(room) {
  room.sheet.soil("points");
  room.sheet.paint();
  return room.sheet.spent;
}

globalThis.bench = { record, recorded, picks, repaint };
