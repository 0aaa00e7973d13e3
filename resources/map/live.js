// Joins our canvas layers to the map folium has made, and the page to Python.
import { Card } from "./card.js";
import { Crowd } from "./crowd.js";
import { Ground } from "./ground.js";
import { Hand } from "./hand.js";
import { Margin } from "./margin.js";
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
    this.ground = new Ground(this);
    this.crowd = new Crowd(this);
    this.sheet = new Sheet({
      base: (context, frame) => this.ground.paint(context, frame),
      points: (context, frame) => {
        this.crowd.paint(context, frame);
        this.ground.paintNames(context, frame);
      },
    });
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
        const base = late.includes("base") ? this.take("base", goals.base) : null;
        const others = late.filter((section) => section !== "view" && section !== "base");
        await Promise.all([base, ...others.map((section) => this.take(section, goals[section], base))]);
        if (late.includes("view")) await this.takeView(goals.view);
        this.margin.refresh();
        await this.paint(generation);
      }
    } finally {
      this.pulling = false;
    }
  }

  async take(section, generation, base = null) {
    const [kind, layer] = section.split("/");
    if (kind === "points") {
      const answer = await fetched(`points?layer=${layer}&since=${this.held[section] ?? 0}`);
      this.held[section] = this.crowd.absorb(layer, await answer.arrayBuffer());
      this.sheet.soil("points");
      return;
    }
    const answer = await fetched(`state/${section}`);
    const value = binary.has(section) ? await answer.arrayBuffer() : await answer.json();
    // Cells are laid on the shapes that belong to them; asked for side by side, the shapes may come later.
    if (binary.has(section)) await base;
    this.held[section] = generation;
    this.accept[section].call(this, value);
  }

  accept = {
    palette(palette) {
      this.palette = palette;
      for (const [token, colour] of Object.entries(palette)) {
        document.documentElement.style.setProperty(`--${token.replace("_", "-")}`, colour);
      }
      this.crowd.recolour();
      this.sheet.soil("base", "points");
    },
    words(words) {
      this.words = words;
    },
    layers(layers) {
      this.layers = layers;
      this.crowd.regroup();
      this.sheet.soil("base", "points");
    },
    base(shapes) {
      this.ground.setShapes(shapes);
      this.sheet.soil("base", "points");
    },
    cells(buffer) {
      this.ground.setCells(buffer);
      this.sheet.soil("base");
    },
    heat(buffer) {
      this.ground.setHeat(new Float32Array(buffer));
      this.sheet.soil("base");
    },
    selected(buffer) {
      this.crowd.select(new Int32Array(buffer));
      this.sheet.soil("points");
    },
  };

  async takeView(generation) {
    const goal = await (await fetched("state/view")).json();
    this.held.view = generation;
    this.byHand = goal.by_hand ?? false;
    this.goal = goal;
    this.aim(goal);
    this.report();
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
    this.goal = { bounds: this.ground.bounds ?? this.crowd.bounds() };
    this.aim(this.goal);
  }

  report() {
    const center = this.map.getCenter();
    this.bridge.move(center.lng, center.lat, this.map.getZoom(), this.byHand, this.held.view ?? 0);
    this.margin.refresh();
  }

  // Draw what is soiled in the next frame and say so once that frame has been shown: the one after hands it to Qt, the
  // one after that finds it in the widget.
  async paint(generation) {
    await nextFrame();
    this.sheet.paint();
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

const binary = new Set(["cells", "heat", "selected"]);

async function fetched(path) {
  const answer = await fetch(`/${path}`);
  if (!answer.ok || answer.headers.has("x-missing")) throw new Error(`There is no ${path}`);
  return answer;
}
