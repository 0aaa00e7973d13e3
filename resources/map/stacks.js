// Cases that lie upon one another: how many there are stands beside the topmost, and opens a list of them.
const FROM = 16.5; // farther away marks overlap because the city is small, not because they are at one place
const APART = 6; // CSS pixels between marks that can be told apart
const MOST = 20_000;
const HIGH = 14;

export class Stacks {
  static title = "stacks";

  constructor(room) {
    this.room = room;
    this.badges = [];
  }

  paint = { points: this.paintBadges };

  paintBadges(pen, frame) {
    const marks = frame.zoom < FROM ? [] : (this.room.cases.marks(frame, MOST) ?? []);
    this.badges = [];
    pen.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    pen.font = '600 10px "Noto Sans CJK SC", "Microsoft YaHei", sans-serif';
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const { palette } = this.room;
    for (const { x, y, slots } of heaps(marks)) {
      if (slots.length < 2) continue;
      const text = slots.length > 99 ? "99+" : String(slots.length);
      const width = Math.max(HIGH, 8 + 6 * text.length);
      const box = [x + 4, y - 4 - HIGH, x + 4 + width, y - 4];
      pen.beginPath();
      pen.roundRect(box[0], box[1], width, HIGH, HIGH / 2);
      pen.fillStyle = palette.pane;
      pen.fill();
      pen.lineWidth = 1;
      pen.strokeStyle = palette.text2;
      pen.stroke();
      pen.fillStyle = palette.text1;
      pen.fillText(text, box[0] + width / 2, box[1] + HIGH / 2 + 0.5);
      this.badges.push({ box, slots });
    }
  }

  hit(point) {
    const { frame } = this.room.sheet;
    if (!frame || !this.badges.length) return null;
    const corner = this.room.map.getPixelBounds().min;
    const [x, y] = [point.x + corner.x - frame.left, point.y + corner.y - frame.top];
    const badge = this.badges.find(({ box }) => x >= box[0] && y >= box[1] && x <= box[2] && y <= box[3]);
    return badge ? { layer: "cases", slot: badge.slots[0], slots: badge.slots } : null;
  }

  // All that lie where this case lies, the topmost first; just itself when it lies alone.
  at(slot) {
    return this.badges.find(({ slots }) => slots.includes(slot))?.slots ?? [slot];
  }

  click({ slots }) {
    this.room.list.ask("cases", slots);
  }
}

// Marks gathered around the topmost of each place; `marks` begins with the topmost.
function heaps(marks) {
  const found = [];
  const near = new Map();
  for (const { slot, x, y } of marks) {
    const [column, row] = [Math.floor(x / APART), Math.floor(y / APART)];
    let home = null;
    for (let i = -1; i <= 1 && !home; i++) {
      for (let j = -1; j <= 1 && !home; j++) {
        const heap = near.get((column + i) * 1e5 + row + j);
        if (heap && Math.abs(heap.x - x) < APART && Math.abs(heap.y - y) < APART) home = heap;
      }
    }
    if (home) {
      home.slots.push(slot);
    } else {
      home = { x, y, slots: [slot] };
      found.push(home);
      near.set(column * 1e5 + row, home);
    }
  }
  return found;
}
