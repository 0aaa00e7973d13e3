// Collectors and vehicles: where they are and whether they were heard of lately; shapes differ, not only colours.
import { MovingLayer } from "./moving.js";
import { car, square } from "./sprites.js";

// By Python's code: online, stale, lost.
function states(kind, shape) {
  return [
    { word: `${kind}`, colour: "collector", shape },
    { word: `${kind}_stale`, colour: "collector", shape, open: true },
    { word: `${kind}_lost`, colour: "no_clock_fill", shape, open: true, crossed: true },
  ];
}

export class People extends MovingLayer {
  static title = "people";

  constructor(room) {
    super(room, "people", { styles: states("person", square), order: [2, 1, 0] });
  }
}

export class Vehicles extends MovingLayer {
  static title = "vehicles";

  constructor(room) {
    super(room, "vehicles", { styles: states("vehicle", car), order: [2, 1, 0] });
  }
}
