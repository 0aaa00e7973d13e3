// Three canvases a little larger than the window: panning shifts them, and only what was soiled is drawn again.

const MARGIN = 160; // CSS pixels on every side that a drag may use up before a redraw

export const Sheet = L.Layer.extend({
  initialize(painters) {
    this._painters = painters;
    this._canvases = {};
    this._soiled = new Set();
    this.frame = null;
    this.spent = 0;
  },

  onAdd(map) {
    const pane = map.getPane("sheet") ?? map.createPane("sheet");
    this._box = L.DomUtil.create("div", "sheet", pane);
    for (const name of Object.keys(this._painters)) {
      const canvas = L.DomUtil.create("canvas", `sheet-${name}`, this._box);
      // Both are written by the processor: an opaque ground needs no blending, the points are read back to be tested.
      const context = canvas.getContext("2d", { alpha: name !== "base", willReadFrequently: true });
      this._canvases[name] = { canvas, context };
    }
    this.reframe();
  },

  onRemove() {
    this._box.remove();
  },

  getEvents() {
    return {
      viewreset: this.reframe,
      moveend: this.reframe,
      resize: this.reframe,
      move: this._follow,
      zoom: this._stretch,
    };
  },

  soil(...names) {
    for (const name of names) this._soiled.add(name);
  },

  // Take the present view as the new frame and draw everything.
  reframe() {
    const map = this._map;
    if (!map) return;
    const corner = map.containerPointToLayerPoint([-MARGIN, -MARGIN]).round();
    const size = map.getSize().add([2 * MARGIN, 2 * MARGIN]);
    const ratio = window.devicePixelRatio;
    const origin = map.getPixelOrigin();
    const zoom = map.getZoom();
    const frame = {
      zoom,
      ratio,
      left: corner.x + origin.x,
      top: corner.y + origin.y,
      width: size.x,
      height: size.y,
      deviceWidth: Math.ceil(size.x * ratio),
      deviceHeight: Math.ceil(size.y * ratio),
      world: 256 * 2 ** zoom, // pixels of the unit square at this zoom
    };
    const old = this.frame;
    const same = old && ["zoom", "ratio", "left", "top", "width", "height"].every((key) => old[key] === frame[key]);
    this.frame = frame;
    L.DomUtil.setTransform(this._box, corner, 1);
    if (!same) this.soil(...Object.keys(this._canvases));
    this.paint();
  },

  // Draw what is soiled; `spent` tells how many milliseconds the last drawing took.
  paint() {
    if (!this.frame || !this._map || !this._soiled.size) return;
    const start = performance.now();
    const { deviceWidth, deviceHeight, ratio } = this.frame;
    for (const [name, { canvas, context }] of Object.entries(this._canvases)) {
      if (!this._soiled.has(name)) continue;
      if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
        canvas.width = deviceWidth;
        canvas.height = deviceHeight;
        canvas.style.width = `${deviceWidth / ratio}px`;
        canvas.style.height = `${deviceHeight / ratio}px`;
      }
      this._painters[name](context, this.frame);
    }
    this._soiled.clear();
    this.spent = performance.now() - start;
  },

  // A drag that has used up the margin gets a new frame under way.
  _follow() {
    if (!this.frame || this._map.getZoom() !== this.frame.zoom) return;
    const seen = this._map.getPixelBounds();
    const { left, top, width, height } = this.frame;
    const outside = seen.min.x < left || seen.min.y < top || seen.max.x > left + width || seen.max.y > top + height;
    if (outside) this.reframe();
  },

  // Between the fingers of a hand the old picture is stretched until the new one is drawn. Leaflet's own animation of the
  // wheel and the keys is off: a stretched picture costs the processor more than a true one.
  _stretch() {
    const zoom = this._map.getZoom();
    if (!this.frame || zoom === this.frame.zoom) return;
    const scale = this._map.getZoomScale(zoom, this.frame.zoom);
    const corner = L.point(this.frame.left, this.frame.top).multiplyBy(scale);
    L.DomUtil.setTransform(this._box, corner.subtract(this._map.getPixelOrigin()), scale);
  },
});
