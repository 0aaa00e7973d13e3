// The grades of roads, narrow to wide: width at zoom 15 in CSS pixels, the zoom from which one is drawn, its colour, the
// zoom from which it is named.
export const GRADES = {
  lane: { width: 2, from: 14.25, colour: "side_road", named: 15.75 },
  side: { width: 4, from: 12.25, colour: "side_road", named: 14.25 },
  main: { width: 7, from: 0, colour: "road", named: 12.75 },
};
