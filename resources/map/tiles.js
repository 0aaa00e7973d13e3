// Picture maps from tile files: asked for as bytes over our own scheme, drawn into the ground, shifted to WGS-84.
import { project, shiftOf } from "./datum.js";

const KEPT = 400; // decoded tiles, some 100 MB at 256 pixels
const AT_ONCE = 6;
const TOGETHER_MS = 60; // tiles that come within this time are drawn together
const ASK_AGAIN_MS = 15000; // a source that did not answer
const QUIET = { light: 0.3, dark: 0.62 }; // of the land's colour over the pictures, so that marks stand out
const PIECE_ZOOM = 14; // a tile of this zoom is small enough to be laid as one piece: 0.3 m off at most

export class Tiles {
  static title = "tiles";

  constructor(room) {
    this.room = room;
    this.sets = [];
    this.covers = false; // whether the last painting showed any picture
    this.kept = new Map();
    this.queue = [];
    this.underWay = 0;
  }

  sections = { tiles: { json: this.take, soils: ["base"] } };

  paint = { base: this.paintTiles };

  take(sets) {
    this.kept.clear();
    this.queue = [];
    this.sets = sets.map((set) => {
      const [west, south, east, north] = set.bounds;
      const box = [...project(west, north), ...project(east, south)];
      return { ...set, shift: shiftOf(set.datum), box, steps: Math.log2(set.pixels / 256) };
    });
  }

  get isOn() {
    return this.sets.length > 0 && this.room.layers.tiles !== false;
  }

  get attribution() {
    return this.sets.map(({ attribution }) => attribution).filter(Boolean);
  }

  paintTiles(pen, frame) {
    const covered = this.covers;
    this.covers = false;
    this.queue = [];
    if (!this.isOn) return;
    for (const set of this.sets) this._paintSet(pen, frame, set);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    if (this.covers) {
      pen.globalAlpha = isDark(this.room.palette.land) ? QUIET.dark : QUIET.light;
      pen.fillStyle = this.room.palette.land;
      pen.fillRect(0, 0, frame.deviceWidth, frame.deviceHeight);
      pen.globalAlpha = 1;
    }
    // Names of areas are laid out together with those of roads, but drawn over the points.
    if (covered !== this.covers) this.room.sheet.soil("points");
    this._ask();
  }

  _paintSet(pen, frame, set) {
    const wanted = Math.round(frame.zoom + Math.log2(frame.ratio) / 2 - set.steps);
    if (wanted < set.min - 1) return;
    const zoom = Math.max(set.min, Math.min(set.max, wanted));
    const side = 2 ** zoom;
    const [left, top, right, bottom] = seen(frame, set);
    const first = { x: Math.max(0, Math.floor(left * side)), y: Math.max(0, Math.floor(top * side)) };
    const last = { x: Math.min(side - 1, Math.floor(right * side)), y: Math.min(side - 1, Math.floor(bottom * side)) };
    const middle = { x: (first.x + last.x) / 2, y: (first.y + last.y) / 2 };
    const missing = [];
    for (let y = first.y; y <= last.y; y++) {
      for (let x = first.x; x <= last.x; x++) {
        const tile = this._tile(set, zoom, x, y);
        if (tile.picture) this._lay(pen, frame, set, tile.picture, { zoom, x, y }, [0, 0, 1]);
        else this._layAbove(pen, frame, set, tile);
        if (tile.isWanted) missing.push({ tile, away: Math.hypot(x - middle.x, y - middle.y) });
      }
    }
    missing.sort((a, b) => a.away - b.away);
    this.queue.push(...missing.map(({ tile }) => tile));
  }

  // What a tile of a lower zoom shows of this place, until or because there is no better one.
  _layAbove(pen, frame, set, { zoom, x, y, state }) {
    for (let up = 1; up <= 6 && zoom - up >= set.min; up++) {
      const kept = this.kept.get(`${set.name} ${zoom - up} ${x >> up} ${y >> up}`);
      if (!kept?.picture) continue;
      const share = 2 ** -up;
      const cut = [(x & ((1 << up) - 1)) * share, (y & ((1 << up) - 1)) * share, share];
      this._lay(pen, frame, set, kept.picture, { zoom, x, y }, cut);
      return;
    }
    // A hole may be filled from the zoom above it.
    if (state === "none" && zoom > set.min) {
      const above = this._tile(set, zoom - 1, x >> 1, y >> 1);
      if (above.isWanted) this.queue.push(above);
    }
  }

  // Lay part of a picture (from x, y, as wide as `share` of it) where a tile belongs. A shifted tile is laid by its own
  // corners, in pieces where it is so large that the shift differs within it.
  _lay(pen, frame, set, picture, { zoom, x, y }, [cutX, cutY, share]) {
    const side = 2 ** zoom;
    const pieces = set.shift ? Math.min(4, 2 ** Math.max(0, PIECE_ZOOM - zoom)) : 1;
    const scale = frame.world * frame.ratio;
    const place = (u, v) => {
      const [px, py] = set.shift ? set.shift.from(u / side, v / side) : [u / side, v / side];
      return [px * scale - frame.left * frame.ratio, py * scale - frame.top * frame.ratio];
    };
    const step = 1 / pieces;
    for (let i = 0; i < pieces; i++) {
      for (let j = 0; j < pieces; j++) {
        const at = place(x + i * step, y + j * step);
        const along = place(x + (i + 1) * step, y + j * step);
        const down = place(x + i * step, y + (j + 1) * step);
        const width = along[0] - at[0];
        const height = down[1] - at[1];
        // Half a pixel more on every side, so that no seam shows the land.
        const grow = 0.5;
        pen.setTransform(
          (width + 2 * grow) / width,
          (along[1] - at[1]) / width,
          (down[0] - at[0]) / height,
          (height + 2 * grow) / height,
          at[0] - grow,
          at[1] - grow,
        );
        pen.drawImage(
          picture,
          (cutX + i * step * share) * picture.width,
          (cutY + j * step * share) * picture.height,
          step * share * picture.width,
          step * share * picture.height,
          0,
          0,
          width,
          height,
        );
      }
    }
    this.covers = true;
  }

  // What is known of a tile: its picture, that there is none, or that it is to be asked for.
  _tile(set, zoom, x, y) {
    const key = `${set.name} ${zoom} ${x} ${y}`;
    let tile = this.kept.get(key);
    if (tile) this.kept.delete(key);
    else tile = { set, zoom, x, y, picture: null, state: "unknown", since: 0 };
    this.kept.set(key, tile); // the last in is the last out
    const late = tile.state === "later" && performance.now() - tile.since > ASK_AGAIN_MS;
    tile.isWanted = tile.state === "unknown" || late;
    return tile;
  }

  _ask() {
    while (this.underWay < AT_ONCE && this.queue.length) {
      const tile = this.queue.shift();
      if (!tile.isWanted || tile.state === "asked") continue;
      tile.state = "asked";
      tile.isWanted = false;
      this.underWay++;
      this._fetch(tile).finally(() => {
        this.underWay--;
        this._ask();
      });
    }
    for (const [key, tile] of this.kept) {
      if (this.kept.size <= KEPT) break;
      if (tile.state === "asked") continue;
      tile.picture?.close();
      this.kept.delete(key);
    }
  }

  async _fetch(tile) {
    const { set, zoom, x, y } = tile;
    try {
      const answer = await fetch(`/${set.road}?${new URLSearchParams({ set: set.name, z: zoom, x, y })}`);
      if (answer.headers.get("content-type")?.startsWith("image/")) {
        tile.picture = await createImageBitmap(await answer.blob());
        tile.state = "here";
        this._redraw();
      } else {
        tile.state = answer.headers.has("x-missing") ? "none" : "later";
      }
    } catch {
      tile.state = "none"; // bytes that are no picture
    }
    tile.since = performance.now();
  }

  // Tiles come in bursts: one drawing for all that came since the last.
  _redraw() {
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.room.sheet.soil("base");
      this.room.sheet.paint();
      this.room.margin.refresh();
    }, TOGETHER_MS);
  }
}

// Whether a colour written as #rrggbb is nearer to black; pictures are drawn for daylight.
function isDark(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.3 * red + 0.6 * green + 0.1 * blue < 128;
}

// The part of the set's own square that the frame shows: left, top, right, bottom.
function seen(frame, { shift, box }) {
  const corners = [];
  for (const x of [frame.left, frame.left + frame.width]) {
    for (const y of [frame.top, frame.top + frame.height]) {
      const [u, v] = [x / frame.world, y / frame.world];
      corners.push(shift ? shift.to(u, v) : [u, v]);
    }
  }
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  return [
    Math.max(box[0], Math.min(...xs)),
    Math.max(box[1], Math.min(...ys)),
    Math.min(box[2], Math.max(...xs)) - 1e-12,
    Math.min(box[3], Math.max(...ys)) - 1e-12,
  ];
}
