// The layers of the map, from the ground up: what stands later is drawn over what stands before and is hit first. This
// list is all that Room knows of them. A layer is a class; Room makes one of each and calls it by `title`:
//
//   static title          its name in Room: room[title]
//   sections              what it takes from Python: { name: { json(value) or bytes(buffer), after, soils } }.
//                         `after` names a section it rests on; `soils` the canvases to draw anew. Sections called
//                         "name/layer" are asked for what is new since the generation they hold, which bytes() returns.
//   paint                 { base(pen, frame), points(pen, frame), above(pen, frame) }, those of the three canvases on
//                         which it draws: the opaque ground, the points, and what moves
//   stamp(pixels, frame)  writes straight into the picture of the points, before anybody paints on that canvas
//   hit(point)            the mark there ({ layer, slot, … }) or null; `point` is in CSS pixels of the window
//   click(mark, event), open(mark)   what a click and a double click on such a mark do; Leaflet's event
//   legend()              [{ words, draw(pen, palette), key }]: a mark of 14 CSS pixels around the pen's origin; `key`
//                         says by what, besides words and palette, the mark differs
//   key(event)            true when it has used the key
//   orders                { name(value) }: what Python may ask of it at once
//   moved()               the map has come to rest
//   seized()              a hand has moved it
//   recolour()            the palette is another one
//   switched()            layers were switched on or off: room.layers
//
// Leave out what it does not need. While `room.tool` is set, that object is asked first: press(point, event),
// stretch(point, event), release(point, event), click(event), open(event) and key(event), those it has; what it answers
// with true goes no further (hand.js).
import { Areas } from "./areas.js";
import { Cases } from "./cases.js";
import { Components } from "./components.js";
import { Density } from "./density.js";
import { Ground, Land } from "./ground.js";
import { Labels } from "./labels.js";
import { List } from "./list.js";
import { Overlays } from "./overlays.js";
import { People, Vehicles } from "./people.js";
import { Stacks } from "./stacks.js";
import { Tiles } from "./tiles.js";
import { Tools } from "./tools.js";
import { Trail } from "./trail.js";
import { Walk } from "./walk.js";

export const LAYERS = [Land, Tiles, Areas, Ground, Overlays, Density, Components, Cases, Stacks, Labels, Trail, Vehicles, People, Walk, List, Tools];
