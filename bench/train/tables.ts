import { Random } from '../../src/simulation/random.js';

/**
 * Events as CSV, in the shape of UCI HIGGS: EventId, 28 features, Label, s or b. The label hangs on products of features
 * and on chance, so that no network is ever right about all of them.
 */
export function* eventLines(numRows: number, seed: number): Generator<string, void> {
  const random = new Random(seed);
  const names = Array.from({ length: numEventFeatures }, (_, i) => `f${i}`);
  yield `EventId,${names.join(',')},Label\n`;
  for (let id = 0; id < numRows; id++) {
    const x = names.map(() => random.uniform(-1, 1) + random.uniform(-1, 1));
    const score = x[0] * x[1] + x[2] * x[3] - x[4] ** 2 + 0.6 * x[5];
    const label = score + random.uniform(-1.5, 1.5) > -0.5 ? 's' : 'b';
    yield `${id},${x.map((value) => value.toFixed(6)).join(',')},${label}\n`;
  }
}
export const numEventFeatures = 28;

/**
 * Images as CSV, in the shape of MNIST: label, p0 to p783, 0 to 255. Each class is a few strokes that are the same for
 * all of its images, moved and thinned out by chance.
 */
export function* digitLines(numRows: number, seed: number): Generator<string, void> {
  const random = new Random(seed);
  const shapes = Array.from({ length: numDigits }, (_, digit) => shapeOf(new Random(digit + 1)));
  yield `label,${Array.from({ length: side * side }, (_, i) => `p${i}`).join(',')}\n`;
  for (let row = 0; row < numRows; row++) {
    const digit = Math.floor(random.uniform(0, numDigits));
    const [right, down] = [random.uniform(-3, 4), random.uniform(-3, 4)].map(Math.floor);
    const pixels = new Uint8Array(side * side);
    for (const [x, y] of shapes[digit]) {
      const [column, line] = [x + right, y + down];
      if (random.chance(0.6)) pixels[line * side + column] = Math.floor(random.uniform(80, 256));
    }
    yield `${digit},${pixels.join(',')}\n`;
  }
}
const side = 28;
const numDigits = 10;

/** Points along three strokes in the middle of an image. */
function shapeOf(random: Random): [x: number, y: number][] {
  const points: [number, number][] = [];
  for (let stroke = 0; stroke < 3; stroke++) {
    const [fromX, fromY, toX, toY] = Array.from({ length: 4 }, () => random.uniform(4, 23));
    for (let step = 0; step <= 20; step++) {
      const share = step / 20;
      const [x, y] = [fromX + share * (toX - fromX), fromY + share * (toY - fromY)].map(Math.round);
      points.push([x, y], [x + 1, y]);
    }
  }
  return points;
}
