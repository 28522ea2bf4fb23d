import type { Collision } from './collision-columns.js';
import {
  boost,
  length,
  particleOf,
  sumOf,
  transverse,
  type FourVector,
  type Particle,
  type Transverse,
} from './kinematics.js';
import type { Random } from './random.js';

/** Masses and widths in GeV; the width of the Higgs is far below what a detector resolves. */
const higgs = { mass: 125, width: 0.004 };
const zBoson = { mass: 91.19, width: 2.5 };
const wBoson = { mass: 80.4, width: 2.1 };

/** What a detector takes for a tau or a lepton. */
const minTauPt = 20;
const minLeptonPt = 22;
const maxEta = 2.5;
const minJetPt = 30;
const maxJetEta = 4.5;

/** Probabilities of 0, 1, 2 and 3 jets. */
const jetCounts = { boson: [0.4, 0.31, 0.19, 0.1], fake: [0.32, 0.3, 0.23, 0.15] } as const;
/** Share of the signal in which two jets mark the fusion of two vector bosons. */
const fusionShare = 0.18;
/** Shares of the background: Z bosons; pairs of taus of any mass, as top quarks make them; fakes. */
const backgroundShares = [0.45, 0.42, 0.13] as const;
/** The pairs of any mass, in GeV: from here on, fewer the heavier. */
const continuum = { lowest: 60, mean: 85 };

/** Draws one collision that passes the selection: a tau, a lepton, missing momentum and up to three jets. */
export function drawCollision(random: Random, isSignal: boolean): Collision {
  for (;;) {
    const collision = isSignal ? drawSignal(random) : drawBackground(random);
    const { tau, lepton } = collision;
    const isSeen = tau.pt > minTauPt && lepton.pt > minLeptonPt;
    if (isSeen && Math.abs(tau.eta) < maxEta && Math.abs(lepton.eta) < maxEta) return collision;
  }
}

function drawSignal(random: Random): Collision {
  return drawBoson(random, random.normal(higgs.mass, higgs.width), random.chance(fusionShare));
}

function drawBackground(random: Random): Collision {
  switch (random.choice(backgroundShares)) {
    case 0:
      return drawBoson(random, random.normal(zBoson.mass, zBoson.width), false);
    case 1:
      return drawBoson(random, continuum.lowest + random.exponential(continuum.mean), random.chance(0.05));
    default:
      return drawFake(random);
  }
}

/** A body that recoils against the jets and decays into two taus, whose neutrinos are not seen. */
function drawBoson(random: Random, mass: number, isFusion: boolean): Collision {
  const jets = isFusion ? drawFusionJets(random) : drawJets(random, random.choice(jetCounts.boson), 28);
  const soft = softRecoil(random);
  const recoil = sumOf([...jets.map(transverse), soft]);
  const body = moving({ x: -recoil.x, y: -recoil.y }, random.normal(0, isFusion ? 0.8 : 1.2), mass);
  const [one, other] = decay(random, body, mass);
  // A tau that decays into hadrons keeps more of its momentum than one that decays into a lepton and two neutrinos.
  const tauShare = random.uniform(0.35, 1);
  const leptonShare = 1 - Math.sqrt(random.uniform(0.04, 1));
  const tau = scaled(one, tauShare * Math.max(0.5, random.normal(1, 0.12)));
  const lepton = scaled(other, leptonShare * Math.max(0.5, random.normal(1, 0.02)));
  const neutrinos = sumOf([scaled(one, 1 - tauShare), scaled(other, 1 - leptonShare)]);
  return observe(random, particleOf(tau), particleOf(lepton), neutrinos, jets);
}

/** A lepton and a neutrino of a W boson, or of a pair of top quarks, and a jet that is taken for a tau. */
function drawFake(random: Random): Collision {
  const jets = drawJets(random, random.choice(jetCounts.fake), 38);
  const mass = Math.max(20, random.normal(wBoson.mass, wBoson.width));
  const tau = { pt: minTauPt + random.exponential(18), eta: random.normal(0, 1.2), phi: drawPhi(random) };
  const soft = softRecoil(random);
  const recoil = sumOf([...jets.map(transverse), transverse(tau), soft]);
  const body = moving({ x: -recoil.x, y: -recoil.y }, random.normal(0, 1.1), mass);
  const [lepton, neutrino] = decay(random, body, mass);
  return observe(random, tau, particleOf(lepton), neutrino, jets);
}

/** What the detector makes of it: missing momentum is smeared, the more the more there is in the detector. */
function observe(
  random: Random,
  tau: Particle,
  lepton: Particle,
  invisible: Transverse,
  jets: readonly Particle[],
): Collision {
  const sumEt =
    tau.pt + lepton.pt + jets.reduce((total, jet) => total + jet.pt, 0) + 60 + random.exponential(80);
  const resolution = 0.45 * Math.sqrt(sumEt);
  const x = invisible.x + random.normal(0, resolution);
  const y = invisible.y + random.normal(0, resolution);
  return { tau, lepton, missing: { pt: length({ x, y }), phi: Math.atan2(y, x) }, sumEt, jets };
}

function drawJets(random: Random, count: number, meanPt: number): Particle[] {
  const jets: Particle[] = [];
  for (let i = 0; i < count; i++) {
    const eta = Math.min(maxJetEta, Math.max(-maxJetEta, random.normal(0, 1.7)));
    jets.push({ pt: minJetPt + random.exponential(meanPt), eta, phi: drawPhi(random) });
  }
  return jets.sort((one, other) => other.pt - one.pt);
}

/** Two jets far apart, one towards each end of the detector. */
function drawFusionJets(random: Random): Particle[] {
  const side = random.chance(0.5) ? 1 : -1;
  const jets = [side, -side].map((end) => ({
    pt: minJetPt + random.exponential(45),
    eta: end * Math.min(maxJetEta, Math.abs(random.normal(2.3, 0.8))),
    phi: drawPhi(random),
  }));
  return jets.sort((one, other) => other.pt - one.pt);
}

/** Everything too soft to be a jet, which a boson recoils against as well. */
function softRecoil(random: Random): Transverse {
  return { x: random.normal(0, 9), y: random.normal(0, 9) };
}

function drawPhi(random: Random): number {
  return random.uniform(-Math.PI, Math.PI);
}

/** A body with this mass, momentum across the beam, and rapidity. */
function moving(across: Transverse, rapidity: number, mass: number): FourVector {
  const { x, y } = across;
  const transverseMass = Math.sqrt(mass * mass + x * x + y * y);
  return { x, y, z: transverseMass * Math.sinh(rapidity), e: transverseMass * Math.cosh(rapidity) };
}

/** Two massless particles, back to back in any direction where the body rests. */
function decay(random: Random, body: FourVector, mass: number): [FourVector, FourVector] {
  const cosTheta = random.uniform(-1, 1);
  const sinTheta = Math.sqrt(1 - cosTheta * cosTheta);
  const phi = drawPhi(random);
  const e = mass / 2;
  const [x, y, z] = [e * sinTheta * Math.cos(phi), e * sinTheta * Math.sin(phi), e * cosTheta];
  return [boost({ x, y, z, e }, body, mass), boost({ x: -x, y: -y, z: -z, e }, body, mass)];
}

function scaled({ x, y, z, e }: FourVector, factor: number): FourVector {
  return { x: x * factor, y: y * factor, z: z * factor, e: e * factor };
}
