// The cases: shape and colour by light, the selected ones ringed and lifted above all others.
import { PointLayer } from "./points.js";
import { circle, diamond, triangle } from "./sprites.js";

const small = (pen, r) => circle(pen, r * 0.85);

// By Python's code of the light. From calm to alarming: what is drawn later lies on top.
const STYLES = [
  { word: "on_time", colour: "on_time_fill", shape: circle, calm: true },
  { word: "soon", colour: "soon_fill", shape: triangle },
  { word: "over", colour: "over_fill", shape: diamond },
  { word: "no_clock", colour: "no_clock_fill", shape: small, open: true, calm: true },
];

export class Cases extends PointLayer {
  static title = "cases";

  constructor(room) {
    super(room, "cases", { styles: STYLES, order: [3, 0, 1, 2] });
    this.sections.selected = {
      bytes: (buffer) => void (this.lifted = new Set(new Int32Array(buffer))),
      soils: ["points"],
    };
  }
}
