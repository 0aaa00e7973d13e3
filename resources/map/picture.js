// The pixels of the points: one picture for all point layers that stand still, so that panning moves one canvas.
export class Picture {
  clear({ deviceWidth, deviceHeight }) {
    if (this.image?.width !== deviceWidth || this.image?.height !== deviceHeight) {
      this.image = new ImageData(deviceWidth, deviceHeight);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.seen = new Uint8Array(deviceWidth * deviceHeight); // for layers that skip what they have drawn already
    } else {
      this.pixels.fill(0);
    }
  }

  put(pen) {
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.putImageData(this.image, 0, 0);
  }
}
