/**
 * The rules once more, number by number with plain arrays, as they stand in the papers. Kept apart from the product: they
 * share nothing but the names.
 */
export interface OracleRule {
  readonly elastic: boolean;
  residual(w: number, pulled: number, tau: number, eta: number, rho: number): number;
  applied(c: number, residual: number, k: number, pulled: number, eta: number): number;
}

const f32 = Math.fround;
const delta = (w: number, pulled: number) => f32(w - pulled);
const sum = (c: number, residual: number) => f32(c + residual);
const elastic: OracleRule = {
  elastic: true,
  residual: (w, c, _tau, eta, rho) => f32(rho * eta * (w - c)),
  applied: sum,
};

export const oracle: Readonly<Record<string, OracleRule>> = {
  downpour: { elastic: false, residual: delta, applied: sum },
  adag: { elastic: false, residual: (w, pulled, tau) => f32((w - pulled) / tau), applied: sum },
  dynsgd: { elastic: false, residual: delta, applied: (c, residual, k) => f32(c + residual / (k + 1)) },
  aeasgd: elastic,
  eamsgd: elastic,
  experimental: {
    elastic: false,
    residual: (w, pulled, tau) => f32((w - pulled) / tau),
    applied: (c, residual, _k, pulled, eta) => f32(c + residual / (((c - pulled) * (c - pulled)) / eta + 1)),
  },
};
