/**
 * A massless particle as a detector at a collider sees it: `pt` is the momentum across the beam in GeV, `eta` the
 * pseudorapidity (0 across the beam, large along it), `phi` the angle around the beam in (-pi, pi].
 */
export interface Particle {
  readonly pt: number;
  readonly eta: number;
  readonly phi: number;
}

/** A momentum across the beam, in GeV. */
export interface Transverse {
  readonly x: number;
  readonly y: number;
}

/** Momentum and energy in GeV. */
export interface FourVector extends Transverse {
  readonly z: number;
  readonly e: number;
}

export function transverse({ pt, phi }: Pick<Particle, 'pt' | 'phi'>): Transverse {
  return { x: pt * Math.cos(phi), y: pt * Math.sin(phi) };
}

/** The length across the beam. (Math.hypot guards against overflow, at ten times the price.) */
export function length({ x, y }: Transverse): number {
  return Math.sqrt(x * x + y * y);
}

export function sumOf(vectors: readonly Transverse[]): Transverse {
  let [x, y] = [0, 0];
  for (const vector of vectors) {
    x += vector.x;
    y += vector.y;
  }
  return { x, y };
}

export function particleOf(vector: FourVector): Particle {
  const { x, y, z } = vector;
  const pt = length(vector);
  return { pt, eta: Math.asinh(z / pt), phi: Math.atan2(y, x) };
}

/** The difference of two angles, within (-pi, pi]. */
export function deltaPhi(one: number, other: number): number {
  const difference = one - other;
  if (difference > Math.PI) return difference - 2 * Math.PI;
  return difference <= -Math.PI ? difference + 2 * Math.PI : difference;
}

/** m^2 = 2 pt1 pt2 (cosh(eta1 - eta2) - cos(phi1 - phi2)), for massless particles. */
export function invariantMass(one: Particle, other: Particle): number {
  const square = 2 * one.pt * other.pt * (Math.cosh(one.eta - other.eta) - Math.cos(one.phi - other.phi));
  return Math.sqrt(Math.max(0, square));
}

/**
 * A vector of the rest frame of a body, as it is seen where the body moves (Lorentz transformation):
 * p' = p + (gamma - 1) (p.n) n + gamma beta e n with n = P / |P|, gamma = E / M, and e' = gamma (e + beta p.n).
 */
export function boost(p: FourVector, body: FourVector, bodyMass: number): FourVector {
  const projection = (p.x * body.x + p.y * body.y + p.z * body.z) / bodyMass;
  // Both terms along n together; written with P / M, which is gamma beta n, so that a body at rest divides by nothing.
  const along = projection / (body.e / bodyMass + 1) + p.e;
  return {
    x: p.x + (along * body.x) / bodyMass,
    y: p.y + (along * body.y) / bodyMass,
    z: p.z + (along * body.z) / bodyMass,
    e: (p.e * body.e) / bodyMass + projection,
  };
}
