import { deltaPhi, invariantMass, transverse, type Particle, type Transverse } from './kinematics.js';

/** What the detector measures of one collision. Jets descend in `pt`. */
export interface Collision {
  readonly tau: Particle;
  readonly lepton: Particle;
  readonly missing: Pick<Particle, 'pt' | 'phi'>;
  /** Sum of the transverse energy of everything in the detector, in GeV. */
  readonly sumEt: number;
  readonly jets: readonly Particle[];
}

/** Stands where the physics has no value, such as the second jet of an event with one. */
export const missingValue = -999;

/**
 * The columns that are computed from the measurement, by the formulas of the Higgs Boson Machine Learning Challenge
 * (Adam-Bourdarios et al. 2014, "Learning to discover", appendix B). The one exception is the mass of the Higgs
 * candidate, which was a likelihood fit there: here it is the collinear approximation.
 */
export function derivedColumns(collision: Collision): Record<string, number> {
  const { tau, lepton, missing, jets } = collision;
  const [first, second] = jets;
  const [tauT, leptonT, missingT] = [tau, lepton, missing].map(transverse);
  const jetsT = jets.slice(0, 2).map(transverse);
  const two = second === undefined ? undefined : jetPairColumns(first, second, lepton);
  return {
    DER_mass_MMC: collinearMass(tau, lepton, missingT),
    DER_mass_transverse_met_lep: transverseMass(leptonT, missingT),
    DER_mass_vis: invariantMass(tau, lepton),
    DER_pt_h: length(tauT, leptonT, missingT),
    DER_deltaeta_jet_jet: two?.deltaEta ?? missingValue,
    DER_mass_jet_jet: two?.mass ?? missingValue,
    DER_prodeta_jet_jet: two?.prodEta ?? missingValue,
    DER_deltar_tau_lep: Math.hypot(tau.eta - lepton.eta, deltaPhi(tau.phi, lepton.phi)),
    DER_pt_tot: length(tauT, leptonT, missingT, ...jetsT),
    DER_sum_pt: tau.pt + lepton.pt + jets.reduce((sum, jet) => sum + jet.pt, 0),
    DER_pt_ratio_lep_tau: lepton.pt / tau.pt,
    DER_met_phi_centrality: phiCentrality(missing.phi, tau.phi, lepton.phi),
    DER_lep_eta_centrality: two?.etaCentrality ?? missingValue,
  };
}

/** The columns that are measured. */
export function primaryColumns({ tau, lepton, missing, sumEt, jets }: Collision): Record<string, number> {
  const [first, second] = jets;
  return {
    PRI_tau_pt: tau.pt,
    PRI_tau_eta: tau.eta,
    PRI_tau_phi: tau.phi,
    PRI_lep_pt: lepton.pt,
    PRI_lep_eta: lepton.eta,
    PRI_lep_phi: lepton.phi,
    PRI_met: missing.pt,
    PRI_met_phi: missing.phi,
    PRI_met_sumet: sumEt,
    PRI_jet_num: jets.length,
    PRI_jet_leading_pt: first?.pt ?? missingValue,
    PRI_jet_leading_eta: first?.eta ?? missingValue,
    PRI_jet_leading_phi: first?.phi ?? missingValue,
    PRI_jet_subleading_pt: second?.pt ?? missingValue,
    PRI_jet_subleading_eta: second?.eta ?? missingValue,
    PRI_jet_subleading_phi: second?.phi ?? missingValue,
    PRI_jet_all_pt: jets.reduce((sum, jet) => sum + jet.pt, 0),
  };
}

/**
 * The mass of what decayed into the two, if all that is missing flew along with them (Ellis et al. 1988): with
 * missing = a tau + b lepton across the beam, the visible fractions are 1 / (1 + a) and 1 / (1 + b), and
 * m = m_vis sqrt((1 + a) (1 + b)). There is no estimate when a or b is negative, or too large to mean anything.
 */
function collinearMass(tau: Particle, lepton: Particle, missing: Transverse): number {
  const [t, l] = [transverse(tau), transverse(lepton)];
  const determinant = t.x * l.y - t.y * l.x;
  const a = (missing.x * l.y - missing.y * l.x) / determinant;
  const b = (t.x * missing.y - t.y * missing.x) / determinant;
  const possible = (share: number) => share > -0.1 && share < 10;
  if (!possible(a) || !possible(b)) return missingValue;
  return invariantMass(tau, lepton) * Math.sqrt((1 + a) * (1 + b));
}

/** m^2 = (|a| + |b|)^2 - |a + b|^2 */
function transverseMass(a: Transverse, b: Transverse): number {
  const square = (length(a) + length(b)) ** 2 - length(a, b) ** 2;
  return Math.sqrt(Math.max(0, square));
}

function length(...vectors: readonly Transverse[]): number {
  let [x, y] = [0, 0];
  for (const vector of vectors) {
    x += vector.x;
    y += vector.y;
  }
  return Math.hypot(x, y);
}

/** Where the missing momentum points: sqrt(2) midway between tau and lepton, 1 along one of them, less outside. */
function phiCentrality(missing: number, tau: number, lepton: number): number {
  const side = Math.sign(Math.sin(lepton - tau));
  const a = Math.sin(missing - tau) * side;
  const b = Math.sin(lepton - missing) * side;
  const size = Math.hypot(a, b);
  return size === 0 ? 0 : (a + b) / size;
}

function jetPairColumns(
  first: Particle,
  second: Particle,
  lepton: Particle,
): { deltaEta: number; mass: number; prodEta: number; etaCentrality: number } {
  const deltaEta = Math.abs(first.eta - second.eta);
  const fromCentre = lepton.eta - (first.eta + second.eta) / 2;
  return {
    deltaEta,
    mass: invariantMass(first, second),
    prodEta: first.eta * second.eta,
    // 1 in the middle between the jets, 1/e at either of them.
    etaCentrality: deltaEta === 0 ? 0 : Math.exp(-4 * (fromCentre / deltaEta) ** 2),
  };
}
