// The components of the city, from the zoom on at which single ones can be told apart: shape by class, muted; what is not
// intact stands out. Farther away nothing is drawn, and the legend says so.
import { PointLayer } from "./points.js";
import { bar, circle, pentagon, post, square } from "./sprites.js";

export const COMPONENTS_FROM = 16;
const WIDE = 1200; // CSS pixels of a window whose legend has room for every class
const CLASSES = [
  ["utility", square],
  ["traffic", post],
  ["sanitation", bar],
  ["greenery", circle],
  ["other_component", pentagon],
];

// Python's code is the class, plus 5 for one that is damaged, derelict or lost.
const STYLES = [
  ...CLASSES.map(([word, shape]) => ({ word, shape, colour: "component", calm: true })),
  ...CLASSES.map(([, shape], i) => ({
    word: "unsound",
    shape,
    colour: "text1",
    open: true,
    silent: i > 0,
  })),
];

export class Components extends PointLayer {
  static title = "components";

  constructor(room) {
    super(room, "components", { styles: STYLES, order: STYLES.map((_style, code) => code), from: COMPONENTS_FROM });
  }

  // Streets are lined with them: what the size is to go by is the zoom alone.
  radius(code, zoom) {
    return Math.min(3.4, 1.8 + (zoom - COMPONENTS_FROM) * 0.6) + (code >= CLASSES.length ? 0.4 : 0);
  }

  // Every class where there is room for it, else just what they look like and what is wrong with some.
  legend() {
    if (!this.shown || this.empty) return [];
    if (!this.near) return [{ words: this.room.words.components_closer }];
    const entries = super.legend();
    if (this.room.map.getSize().x >= WIDE) return entries;
    return [{ ...entries[0], words: this.room.words.component }, entries.at(-1)];
  }
}
