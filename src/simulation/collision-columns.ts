import {
  deltaPhi,
  invariantMass,
  length,
  sumOf,
  transverse,
  type Particle,
  type Transverse,
} from './kinematics.js';
import { round } from './round.js';

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

/** The thirty features in the order of the challenge. */
export const featureNames = [
  'DER_mass_MMC',
  'DER_mass_transverse_met_lep',
  'DER_mass_vis',
  'DER_pt_h',
  'DER_deltaeta_jet_jet',
  'DER_mass_jet_jet',
  'DER_prodeta_jet_jet',
  'DER_deltar_tau_lep',
  'DER_pt_tot',
  'DER_sum_pt',
  'DER_pt_ratio_lep_tau',
  'DER_met_phi_centrality',
  'DER_lep_eta_centrality',
  'PRI_tau_pt',
  'PRI_tau_eta',
  'PRI_tau_phi',
  'PRI_lep_pt',
  'PRI_lep_eta',
  'PRI_lep_phi',
  'PRI_met',
  'PRI_met_phi',
  'PRI_met_sumet',
  'PRI_jet_num',
  'PRI_jet_leading_pt',
  'PRI_jet_leading_eta',
  'PRI_jet_leading_phi',
  'PRI_jet_subleading_pt',
  'PRI_jet_subleading_eta',
  'PRI_jet_subleading_phi',
  'PRI_jet_all_pt',
] as const;

/**
 * The features of a collision: PRI_ are measured, DER_ are computed from them by the formulas of the Higgs Boson Machine
 * Learning Challenge (Adam-Bourdarios et al. 2014, "Learning to discover", appendix B). The one exception is the mass
 * of the Higgs candidate, which was a likelihood fit there: here it is the collinear approximation.
 */
export function collisionColumns(collision: Collision): Record<(typeof featureNames)[number], number> {
  const { tau, lepton, missing, sumEt, jets } = collision;
  const [first, second] = jets as readonly (Particle | undefined)[];
  const [tauT, leptonT, missingT] = [transverse(tau), transverse(lepton), transverse(missing)];
  const candidateT = sumOf([tauT, leptonT, missingT]);
  const pair = first && second && jetPair(first, second, lepton);
  const jetPt = jets.reduce((sum, jet) => sum + jet.pt, 0);
  return {
    DER_mass_MMC: round(collinearMass(tau, lepton, missingT)),
    DER_mass_transverse_met_lep: round(transverseMass(leptonT, missingT)),
    DER_mass_vis: round(invariantMass(tau, lepton)),
    DER_pt_h: round(length(candidateT)),
    DER_deltaeta_jet_jet: round(pair?.deltaEta ?? missingValue),
    DER_mass_jet_jet: round(pair?.mass ?? missingValue),
    DER_prodeta_jet_jet: round(pair?.prodEta ?? missingValue),
    DER_deltar_tau_lep: round(deltaR(tau, lepton)),
    DER_pt_tot: round(length(sumOf([candidateT, ...jets.slice(0, 2).map(transverse)]))),
    DER_sum_pt: round(tau.pt + lepton.pt + jetPt),
    DER_pt_ratio_lep_tau: round(lepton.pt / tau.pt),
    DER_met_phi_centrality: round(phiCentrality(missing.phi, tau.phi, lepton.phi)),
    DER_lep_eta_centrality: round(pair?.etaCentrality ?? missingValue),
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
    PRI_jet_all_pt: round(jetPt),
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
  const square = (length(a) + length(b)) ** 2 - length(sumOf([a, b])) ** 2;
  return Math.sqrt(Math.max(0, square));
}

function deltaR(one: Particle, other: Particle): number {
  return length({ x: one.eta - other.eta, y: deltaPhi(one.phi, other.phi) });
}

/** Where the missing momentum points: sqrt(2) midway between tau and lepton, 1 along one of them, less outside. */
function phiCentrality(missing: number, tau: number, lepton: number): number {
  const side = Math.sign(Math.sin(lepton - tau));
  const a = Math.sin(missing - tau) * side;
  const b = Math.sin(lepton - missing) * side;
  const size = Math.sqrt(a * a + b * b);
  return size === 0 ? 0 : (a + b) / size;
}

function jetPair(
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
