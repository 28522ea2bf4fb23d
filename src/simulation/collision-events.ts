import type { Observation } from '../record/observation.js';
import { checkSchema, type Schema } from '../record/schema.js';
import { collisionColumns, featureNames, type Collision } from './collision-columns.js';
import { round } from './round.js';
import { drawCollision } from './collisions.js';
import { Random } from './random.js';

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
    yield {
      EventId: eventId,
      ...collisionColumns(collision),
      // What one event stands for: signal is rare in nature.
      Weight: round(isSignal ? random.uniform(0.001, 0.018) : random.uniform(0.2, 3)),
      Label: isSignal ? 's' : 'b',
    };
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
