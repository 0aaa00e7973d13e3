// What stands in the corners: legend, scale bar, source of the ground, and a word when there is nothing to see.

const EQUATOR = 40075016.686; // metres
const WIDEST = 120; // CSS pixels of the scale bar

export class Margin {
  constructor(room) {
    this.room = room;
    const container = room.map.getContainer();
    // One shelf for both: a long legend wraps beside the scale, never under it.
    const shelf = L.DomUtil.create("div", "shelf", container);
    this.legend = L.DomUtil.create("div", "legend", shelf);
    this.foot = L.DomUtil.create("div", "foot", shelf);
    this.scale = L.DomUtil.create("div", "scale", this.foot);
    this.source = L.DomUtil.create("div", "source", this.foot);
    this.notice = L.DomUtil.create("div", "notice", container);
    this.key = "";
  }

  refresh() {
    const { words, ground, tiles, cases, layers } = this.room;
    if (!words.metres) return;
    this._scale();
    this._legend();
    this.source.textContent = [ground.attribution, ...tiles.attribution].filter(Boolean).join(" · ");
    const missing = ground.empty ? "no_ground" : cases.empty ? "no_points" : null;
    this.notice.hidden = !missing;
    this.notice.textContent = missing ? words[missing] : "";
    this.legend.hidden = layers.legend === false || cases.empty;
    this.foot.hidden = ground.empty && cases.empty;
  }

  _scale() {
    const { map, words } = this.room;
    const latitude = (map.getCenter().lat * Math.PI) / 180;
    const perPixel = (EQUATOR * Math.cos(latitude)) / (256 * 2 ** map.getZoom());
    const metres = roundDown(perPixel * WIDEST);
    this.scale.textContent = metres < 1000 ? `${metres} ${words.metres}` : `${metres / 1000} ${words.kilometres}`;
    this.scale.style.width = `${metres / perPixel}px`;
  }

  // What the layers say of themselves, drawn anew only when it changed.
  _legend() {
    const { palette, parts } = this.room;
    const entries = parts.flatMap((part) => part.legend?.() ?? []);
    const key = JSON.stringify([palette, entries.map(({ words, key }) => [words, key]), window.devicePixelRatio]);
    if (key === this.key) return;
    this.key = key;
    this.legend.replaceChildren(
      ...entries.map(({ words, draw }) => {
        const entry = L.DomUtil.create("span", "entry");
        if (draw) entry.append(mark(draw, palette));
        entry.append(words);
        return entry;
      }),
    );
  }
}

function mark(draw, palette) {
  const side = 14;
  const ratio = window.devicePixelRatio;
  const canvas = L.DomUtil.create("canvas", "mark");
  canvas.width = canvas.height = Math.round(side * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.translate(side / 2, side / 2);
  draw(pen, palette);
  return canvas;
}

// The largest of 1, 2, 5 × 10ⁿ that is not above the value.
function roundDown(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map((step) => step * power).find((step) => step <= value) ?? power;
}
