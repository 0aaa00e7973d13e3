// Where one person has been in working hours: a line with the times of its ends and of its longest halts.
export class Trail {
  static title = "trail";

  constructor(room) {
    this.room = room;
    this.value = null;
  }

  // { lines: [[lon, lat, …], …], stops: [[lon, lat, words], …] } or null
  sections = { trail: { json: (value) => void (this.value = value), soils: ["above"] } };

  paint = { above: this.paintTrail };

  paintTrail(pen, frame) {
    if (!this.value) return;
    const { palette, map } = this.room;
    const place = (lon, lat) => {
      const { x, y } = map.project([lat, lon], frame.zoom);
      return [x - frame.left, y - frame.top];
    };
    pen.setTransform(frame.ratio, 0, 0, frame.ratio, 0, 0);
    pen.lineJoin = pen.lineCap = "round";
    pen.beginPath();
    for (const line of this.value.lines) {
      for (let i = 0; i < line.length; i += 2) {
        const [x, y] = place(line[i], line[i + 1]);
        if (i) pen.lineTo(x, y);
        else pen.moveTo(x, y);
      }
    }
    for (const [colour, width] of [["land", 5], ["accent", 2]]) {
      pen.strokeStyle = palette[colour];
      pen.lineWidth = width;
      pen.stroke();
    }
    pen.font = '11px "Noto Sans CJK SC", "Microsoft YaHei", sans-serif';
    pen.textBaseline = "middle";
    for (const [lon, lat, words] of this.value.stops) {
      const [x, y] = place(lon, lat);
      pen.beginPath();
      pen.arc(x, y, 4, 0, 2 * Math.PI);
      pen.fillStyle = palette.land;
      pen.fill();
      pen.strokeStyle = palette.accent;
      pen.lineWidth = 2;
      pen.stroke();
      pen.strokeStyle = palette.land;
      pen.lineWidth = 3;
      pen.strokeText(words, x + 9, y);
      pen.fillStyle = palette.text1;
      pen.fillText(words, x + 9, y);
    }
  }
}
