import type { Observation } from '../record/observation.js';
import { checkSchema, type Schema } from '../record/schema.js';
import { derivedColumns, primaryColumns, type Collision } from './collision-columns.js';
import { drawCollision } from './collisions.js';
import { Random } from './random.js';

const featureNames = [
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
];

/**
 * The columns of the Higgs Boson Machine Learning Challenge in their order: EventId, thirty features (GeV and radians,
 * -999 where there is no value), Weight, and the Label, s for signal or b for background. Weight is no feature: it
 * tells the label.
 */
export const collisionSchema: Schema = checkSchema({
  name: 'collision',
  fields: [
    { name: 'EventId', type: 'int' },
    ...featureNames.map((name) => ({ name, type: name === 'PRI_jet_num' ? 'int' : 'double' }) as const),
    { name: 'Weight', type: 'double' },
    { name: 'Label', type: 'string' },
  ],
  key: 'EventId',
  label: 'Label',
  features: featureNames,
});

const firstEventId = 100_000;
const signalShare = 0.5;

/**
 * Simulated collisions, without end, half of them signal: a Higgs boson that decays into two tau leptons, against Z
 * bosons that do, and against collisions that only look like it. It is a toy with the kinematics of the real thing;
 * what tells the two apart lies in how columns belong together, so that a linear model finds less of it than a network
 * does. The same seed gives the same events.
 */
export function* collisionEvents(seed: number): Generator<Observation, never> {
  const random = new Random(seed);
  for (let eventId = firstEventId; ; eventId++) {
    const isSignal = random.chance(signalShare);
    const collision = rounded(drawCollision(random, isSignal));
    const columns: Record<string, number> = { ...derivedColumns(collision), ...primaryColumns(collision) };
    const observation: Record<string, number | string> = { EventId: eventId };
    for (const name of featureNames) observation[name] = round(columns[name]);
    // What one event stands for: signal is rare in nature.
    observation['Weight'] = round(isSignal ? random.uniform(0.001, 0.018) : random.uniform(0.2, 3));
    observation['Label'] = isSignal ? 's' : 'b';
    yield observation;
  }
}

/** As the detector writes it down; columns that are computed are computed from this. */
function rounded({ tau, lepton, missing, sumEt, jets }: Collision): Collision {
  const particle = (each: Collision['tau']) => ({
    pt: round(each.pt),
    eta: round(each.eta),
    phi: round(each.phi),
  });
  return {
    tau: particle(tau),
    lepton: particle(lepton),
    missing: { pt: round(missing.pt), phi: round(missing.phi) },
    sumEt: round(sumEt),
    jets: jets.map(particle),
  };
}

/** To three decimals, as the challenge has them. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
