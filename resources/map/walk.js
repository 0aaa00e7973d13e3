// From point to point by keyboard: ] and [ go on and back among the cases in the window, \ among those at one place, Enter
// opens, the space bar selects, N asks who is nearest, F follows a person.
import { unproject } from "./points.js";

const MOST = 20_000;

export class Walk {
  static title = "walk";

  constructor(room) {
    this.room = room;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const { mark } = this.room.card;
    const act = {
      "]": () => this._step(1),
      "[": () => this._step(-1),
      "\\": () => mark && this._stacked(mark),
      Enter: () => mark && this._open(mark),
      " ": () => mark && this.room.bridge.pick(mark.layer, JSON.stringify([mark.slot]), "toggle"),
      n: () => mark && this.room.bridge.tell("nearest", JSON.stringify([mark.layer, mark.slot])),
      f: () => mark && this.room[mark.layer].follow?.(mark.slot),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return false;
    act();
    return true;
  }

  orders = {
    step: (by) => this._step(by),
    follow: ([layer, slot]) => this.room[layer].follow(slot),
    go: ([layer, slot]) => this.go({ layer, slot }),
  };

  // Bring a mark into the middle and turn to it.
  go(mark) {
    const { columns } = this.room[mark.layer];
    if (!columns.drawn(mark.slot)) return;
    this.room.seize();
    this.room.map.setView(unproject(columns.x[mark.slot], columns.y[mark.slot]), this.room.map.getZoom(), {
      animate: false,
    });
    this.room.card.show({ layer: mark.layer, slot: mark.slot });
  }

  // What alarms comes first, then from west to east; one of each place.
  _step(by) {
    const { cases, stacks, sheet, map, card } = this.room;
    const { frame } = sheet;
    if (!frame) return;
    const corner = map.getPixelBounds();
    const [left, top] = [corner.min.x - frame.left, corner.min.y - frame.top];
    const [right, bottom] = [corner.max.x - frame.left, corner.max.y - frame.top];
    const marks = (cases.marks(frame, MOST) ?? []).filter(
      ({ slot, x, y }) => x >= left && x <= right && y >= top && y <= bottom && stacks.at(slot)[0] === slot,
    );
    if (!marks.length) return;
    marks.sort((a, b) => b.height - a.height || a.x - b.x || a.slot - b.slot);
    const now = card.mark?.layer === "cases" ? marks.findIndex(({ slot }) => slot === stacks.at(card.mark.slot)[0]) : -1;
    const next = now < 0 ? (by > 0 ? 0 : marks.length - 1) : (now + by + marks.length) % marks.length;
    card.show({ layer: "cases", slot: marks[next].slot });
  }

  _stacked({ layer, slot }) {
    if (layer !== "cases") return;
    const slots = this.room.stacks.at(slot);
    this.room.card.show({ layer, slot: slots[(slots.indexOf(slot) + 1) % slots.length] });
  }

  _open({ layer, slot }) {
    const slots = layer === "cases" ? this.room.stacks.at(slot) : [slot];
    if (slots.length > 1) this.room.list.ask(layer, slots);
    else this.room.bridge.open(layer, slot);
  }
}
