// The card beside the mark under the pointer. Its words come from people: they are only ever set as text.
import { ringRadius } from "./sprites.js";

const GAP = 12;
const STRAYED = 24; // CSS pixels between pointer and mark at which the mark has left, e.g. because its slot was reused

export class Card {
  constructor(room) {
    this.room = room;
    this.mark = null;
    const container = room.map.getContainer();
    this.ring = L.DomUtil.create("div", "ring", container);
    this.box = L.DomUtil.create("div", "card", container);
    this.head = L.DomUtil.create("div", "card-head", this.box);
    this.title = L.DomUtil.create("span", "card-title", this.head);
    this.remaining = L.DomUtil.create("span", "card-remaining", this.head);
    this.lines = L.DomUtil.create("div", "card-lines", this.box);
    room.map.on("movestart zoomstart", () => this.show(null));
    this.hide();
  }

  // Turn to a mark ({layer, slot}) or to none; `point` is where the pointer is.
  show(mark, point = null) {
    this.point = point;
    if (mark?.layer === this.mark?.layer && mark?.slot === this.mark?.slot) return;
    this.mark = mark;
    this.room.bridge?.hover(mark?.layer ?? "", mark?.slot ?? -1);
    if (mark) this.recheck();
    else this.hide();
  }

  // Ask again: the mark may have moved, gone, or have less time left.
  async recheck() {
    const { mark } = this;
    if (!mark) return;
    const place = this.room[mark.layer].place(mark.slot);
    if (!place || (this.point && place.distanceTo(this.point) > STRAYED)) return this.show(null);
    const text = await this.room.bridge.card(mark.layer, mark.slot);
    if (this.mark !== mark) return;
    const card = JSON.parse(text);
    this._ring(place, mark);
    this.box.hidden = !card;
    if (card) this._fill(card, mark.layer);
    if (card) this._put(place);
  }

  hide() {
    this.box.hidden = true;
    this.ring.hidden = true;
  }

  _fill(card, layer) {
    this.title.textContent = card.title;
    this.remaining.textContent = card.remaining;
    this.remaining.dataset.tone = this.room[layer].styles[card.tone]?.word ?? "";
    this.lines.replaceChildren(
      ...card.lines.map((line) => {
        const row = document.createElement("div");
        row.textContent = line;
        return row;
      }),
    );
  }

  _ring(place, { layer, slot }) {
    const points = this.room[layer];
    const radius = ringRadius(points.radius(points.columns.style[slot], this.room.map.getZoom()));
    const { style } = this.ring;
    style.width = style.height = `${2 * radius}px`;
    L.DomUtil.setPosition(this.ring, place.subtract([radius, radius]).round());
    this.ring.hidden = false;
  }

  // Above the mark and to its right, unless the window ends there.
  _put(place) {
    const size = this.room.map.getSize();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    let x = place.x + GAP;
    let y = place.y - GAP - height;
    if (x + width > size.x - GAP) x = place.x - GAP - width;
    if (y < GAP) y = place.y + GAP;
    x = Math.max(GAP, Math.min(x, size.x - width - GAP));
    y = Math.max(GAP, Math.min(y, size.y - height - GAP));
    L.DomUtil.setPosition(this.box, L.point(x, y).round());
  }
}
