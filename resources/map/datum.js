// Where a picture map of another datum lies: the public formulas of GCJ-02 and BD-09, as in db/kernel/geo.py. All here is
// in the unit square of Web Mercator, x and y from the north-west.

const AXIS = 6378245; // Krasovsky 1940, on which the shift is computed
const ECCENTRICITY_SQUARED = 0.00669342162296594323;
const BD_TURN = (Math.PI * 3000) / 180;
const ROUNDS = 4; // each leaves a thousandth of what the one before it left: micrometres

// { from(x, y): a place of the picture in WGS-84, to(x, y): the other way }; null where nothing is shifted.
export function shiftOf(datum) {
  const forward = { gcj02: gcjOf, bd09: (lon, lat) => bdOf(...gcjOf(lon, lat)) }[datum];
  if (!forward) return null;
  const to = (x, y) => project(...forward(...unproject(x, y)));
  const from = (x, y) => {
    let guessX = x;
    let guessY = y;
    for (let round = 0; round < ROUNDS; round++) {
      const [thereX, thereY] = to(guessX, guessY);
      guessX += x - thereX;
      guessY += y - thereY;
    }
    return [guessX, guessY];
  };
  return { to, from };
}

export function project(lon, lat) {
  return [lon / 360 + 0.5, 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)];
}

export function unproject(x, y) {
  return [(x - 0.5) * 360, (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI];
}

function gcjOf(lon, lat) {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const { sin, sqrt, abs, PI } = Math;
  const x = lon - 105;
  const y = lat - 35;
  const wave = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + wave;
  north += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3;
  north += ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + wave;
  east += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3;
  east += ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const phi = (lat * PI) / 180;
  const magic = 1 - ECCENTRICITY_SQUARED * sin(phi) ** 2;
  const meridian = (AXIS * (1 - ECCENTRICITY_SQUARED)) / (magic * sqrt(magic));
  const parallel = (AXIS / sqrt(magic)) * Math.cos(phi);
  return [lon + (east / parallel) * (180 / PI), lat + (north / meridian) * (180 / PI)];
}

function bdOf(lon, lat) {
  const radius = Math.hypot(lon, lat) + 0.00002 * Math.sin(lat * BD_TURN);
  const angle = Math.atan2(lat, lon) + 0.000003 * Math.cos(lon * BD_TURN);
  return [radius * Math.cos(angle) + 0.0065, radius * Math.sin(angle) + 0.006];
}
