/** To three decimals, as the challenge writes its numbers; never to -0, which no file keeps. */
export function round(value: number): number {
  return Math.round(value * 1000) / 1000 + 0;
}
