// A list beside the map that the keyboard walks: cases at one place, people near a case.
export class List {
  static title = "list";

  constructor(room) {
    this.room = room;
    this.rows = [];
    this.at = 0;
    this.box = L.DomUtil.create("div", "list", room.map.getContainer());
    this.head = L.DomUtil.create("div", "list-head", this.box);
    this.body = L.DomUtil.create("div", "list-rows", this.box);
    this.box.setAttribute("role", "listbox");
    this.box.hidden = true;
    L.DomEvent.disableClickPropagation(this.box);
    L.DomEvent.disableScrollPropagation(this.box);
  }

  orders = { list: this.show };

  // Show these points of a layer; Python words the rows.
  async ask(layer, slots) {
    const { bridge, words } = this.room;
    const rows = JSON.parse(await bridge.rows(layer, JSON.stringify(slots)));
    this.show({ title: words.at_one_place.replace("{count}", slots.length), rows });
  }

  // rows: [{ layer, slot, title, note, tone }], or { case, title, note } for a case that is not on the map; words come from
  // people and are only ever set as text.
  show({ title, rows }) {
    this.rows = rows;
    this.head.textContent = title;
    this.body.replaceChildren(
      ...rows.map(({ title: words, note, tone, layer }, i) => {
        const row = L.DomUtil.create("div", "list-row");
        row.setAttribute("role", "option");
        const name = L.DomUtil.create("span", "list-title", row);
        name.textContent = words;
        const side = L.DomUtil.create("span", "list-note", row);
        side.textContent = note;
        side.dataset.tone = this.room[layer]?.styles[tone]?.word ?? "";
        row.addEventListener("click", (event) => {
          this._turn(i);
          this.pick(event.ctrlKey || event.metaKey ? "toggle" : "replace");
        });
        row.addEventListener("dblclick", () => this.open());
        return row;
      }),
    );
    this.box.hidden = !rows.length;
    if (rows.length) this._turn(0);
  }

  close() {
    this.box.hidden = true;
  }

  key(event) {
    if (this.box.hidden) return false;
    const { key } = event;
    if (key === "ArrowDown" || key === "]") this._turn(this.at + 1);
    else if (key === "ArrowUp" || key === "[") this._turn(this.at - 1);
    else if (key === "Home") this._turn(0);
    else if (key === "End") this._turn(this.rows.length - 1);
    else if (key === "Enter") this.open();
    else if (key === " ") this.pick("toggle");
    else if (key === "Escape") this.close();
    else return false;
    return true;
  }

  _turn(to) {
    this.at = Math.max(0, Math.min(this.rows.length - 1, to));
    [...this.body.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === this.at)));
    this.body.children[this.at].scrollIntoView({ block: "nearest" });
    const { layer, slot } = this.rows[this.at];
    this.room.card.show(layer ? { layer, slot } : null);
  }

  pick(mode) {
    const { layer, slot } = this.rows[this.at];
    if (layer === "cases") this.room.bridge.pick(layer, JSON.stringify([slot]), mode);
  }

  // A case is opened; to a person or a vehicle the map goes.
  open() {
    const mark = this.rows[this.at];
    const { room } = this;
    if (mark.case) room.bridge.tell("case", JSON.stringify(mark.case));
    else if (mark.layer === "cases") room.bridge.open(mark.layer, mark.slot);
    else room.walk.go(mark);
    this.close();
  }
}
