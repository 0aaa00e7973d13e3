// Joins the layers to the map folium has made, and the page to Python.
import { Card } from "./card.js";
import { Hand } from "./hand.js";
import { LAYERS } from "./layers.js";
import { Margin } from "./margin.js";
import { Glide } from "./moving.js";
import { Picture } from "./picture.js";
import { Sheet } from "./sheet.js";

export function open(map) {
  document.addEventListener("securitypolicyviolation", (event) => {
    room.bridge?.violate(event.blockedURI);
  });
  const room = new Room(map);
  globalThis.jingwei = room;
  new QWebChannel(qt.webChannelTransport, (channel) => room.join(channel.objects.room));
}

class Room {
  constructor(map) {
    this.map = map;
    this.palette = {};
    this.words = {};
    this.layers = {};
    this.wanted = {};
    this.held = {};
    this.goal = null;
    this.byHand = false;
    this.worked = 0; // milliseconds of our own work in the last round of pull()
    this.tool = null;
    this.parts = LAYERS.map((Layer) => (this[Layer.title] = new Layer(this)));
    this.sections = this._sections();
    this.picture = new Picture();
    this.sheet = new Sheet({
      base: (pen, frame) => this._paint("base", pen, frame),
      points: (pen, frame) => {
        this.picture.clear(frame);
        for (const part of this.parts) part.stamp?.(this.picture.pixels, frame);
        this.picture.put(pen);
        this._paint("points", pen, frame);
      },
      above: (pen, frame) => {
        pen.setTransform(1, 0, 0, 1, 0, 0);
        pen.clearRect(0, 0, frame.deviceWidth, frame.deviceHeight);
        this._paint("above", pen, frame);
      },
    });
    this.glide = new Glide(this);
    this.margin = new Margin(this);
    this.card = new Card(this);
  }

  join(bridge) {
    this.bridge = bridge;
    this.hand = new Hand(this);
    this.map.on("moveend", () => this.report());
    this.map.on("resize", () => this.byHand || this.aim(this.goal));
    watchRatio(() => {
      this.sheet.reframe();
      this.margin.refresh();
    });
    bridge.rung.connect((sections) => {
      this.wanted = JSON.parse(sections);
      this.pull();
    });
    bridge.ordered.connect((name, value) => {
      for (const part of this.parts) part.orders?.[name]?.call(part, JSON.parse(value));
    });
    bridge.greet();
  }

  // Fetch what is newer than what we hold. Rings that come meanwhile are answered by one more round, so a page that
  // falls behind skips states instead of queueing them.
  async pull() {
    if (this.pulling) return;
    this.pulling = true;
    try {
      for (;;) {
        const late = Object.keys(this.wanted).filter((section) => this.wanted[section] > (this.held[section] ?? 0));
        if (!late.length) break;
        const generation = Math.max(...Object.values(this.wanted));
        const goals = { ...this.wanted };
        this.worked = 0;
        const underWay = {};
        for (const section of late.filter((each) => each !== "view")) {
          underWay[section] = this.take(section, goals[section], underWay);
        }
        await Promise.all(Object.values(underWay));
        if (late.includes("view")) await this.takeView(goals.view);
        this.margin.refresh();
        await this.paint(generation);
      }
    } finally {
      this.pulling = false;
    }
  }

  async take(section, generation, underWay) {
    const { part, json, bytes, after, soils } = this.sections[section];
    const [kind, layer] = section.split("/");
    const answer = await fetched(
      layer ? `${kind}?layer=${layer}&since=${this.held[section] ?? 0}` : `state/${section}`,
    );
    const value = await (bytes ? answer.arrayBuffer() : answer.json());
    // Asked for side by side, what a section rests on (cells on the shapes of the base map) may come later.
    await underWay[after];
    const start = performance.now();
    this.held[section] = (bytes ?? json).call(part, value) ?? generation;
    this.worked += performance.now() - start;
    this.sheet.soil(...soils);
  }

  _sections() {
    const all = ["base", "points", "above"];
    const found = {
      palette: { part: this, json: this.wear, soils: all },
      words: { part: this, json: (words) => void (this.words = words), soils: all },
      layers: { part: this, json: this.switch, soils: all },
    };
    for (const part of this.parts) {
      for (const [name, section] of Object.entries(part.sections ?? {})) found[name] = { part, ...section };
    }
    return found;
  }

  wear(palette) {
    this.palette = palette;
    for (const [token, colour] of Object.entries(palette)) {
      document.documentElement.style.setProperty(`--${token.replace("_", "-")}`, colour);
    }
    for (const part of this.parts) part.recolour?.();
  }

  switch(layers) {
    this.layers = layers;
    for (const part of this.parts) part.switched?.();
  }

  _paint(canvas, pen, frame) {
    for (const part of this.parts) part.paint?.[canvas]?.call(part, pen, frame);
  }

  // The topmost mark at a place of the window, with the layer it belongs to as `part`.
  hit(point) {
    for (const part of this.parts.toReversed()) {
      const mark = part.hit?.(point);
      if (mark) return { ...mark, part };
    }
    return null;
  }

  async takeView(generation) {
    const goal = await (await fetched("state/view")).json();
    this.byHand = goal.by_hand ?? false;
    this.goal = goal;
    this.aim(goal);
    // Only now: a glide that ends here reports once more, from where it had come to.
    this.held.view = generation;
    this.report();
  }

  // From the first gesture on the map is the user's: neither data nor a person who is followed moves it.
  seize() {
    if (!this.byHand) this.bridge.move(...this._where(), true, this.held.view ?? 0);
    this.byHand = true;
    for (const part of this.parts) part.seized?.();
  }

  _where() {
    const { lng, lat } = this.map.getCenter();
    return [lng, lat, this.map.getZoom()];
  }

  // Only a goal Python has set moves the map; data never does.
  aim(goal) {
    const size = this.map.getSize();
    if (!goal || !size.x || !size.y) return;
    if (goal.bounds) {
      const [west, south, east, north] = goal.bounds;
      this.map.fitBounds([[south, west], [north, east]], { animate: false, padding: [16, 16], maxZoom: 17 });
    } else if (goal.center) {
      const [lon, lat] = goal.center;
      this.map.setView([lat, lon], goal.zoom ?? this.map.getZoom(), { animate: goal.smooth });
    }
    if (!this.map.hasLayer(this.sheet)) this.map.addLayer(this.sheet);
  }

  fit() {
    this.byHand = false;
    this.goal = { bounds: this.ground.bounds ?? this.cases.bounds() };
    this.aim(this.goal);
  }

  report() {
    this.bridge.move(...this._where(), this.byHand, this.held.view ?? 0);
    for (const part of this.parts) part.moved?.();
    this.margin.refresh();
  }

  // Draw what is soiled and say so once it has been shown: the next frame hands it to Qt, the one after that finds it in
  // the widget.
  async paint(generation) {
    this.sheet.paint();
    this.worked += this.sheet.spent;
    this.card.recheck();
    await nextFrame();
    await nextFrame();
    this.bridge.draw(generation, this.sheet.spent);
  }
}

// A window dragged to a screen of another density keeps its size in CSS pixels, so no resize tells of it.
function watchRatio(changed) {
  matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener(
    "change",
    () => {
      changed();
      watchRatio(changed);
    },
    { once: true },
  );
}

const nextFrame = () => new Promise(requestAnimationFrame);

export async function fetched(path) {
  const answer = await fetch(`/${path}`);
  if (!answer.ok || answer.headers.has("x-missing")) throw new Error(`There is no ${path}`);
  return answer;
}
