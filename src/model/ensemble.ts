import { MillraceError } from '../errors.js';
import type { Combination, ModelArtifact, ModelSpec, WeightVector } from './artifact.js';

export type EnsembleArtifact = Extract<ModelArtifact, { format: 'ensemble' }>;

/** The most members that an ensemble has. */
export const maxMembers = 256;

/** Throws MILLRACE_CONFIG_INVALID for votes on numbers. */
export function checkCombination(combination: Combination, task: 'classification' | 'regression'): void {
  if (combination !== 'vote' || task !== 'regression') return;
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    'Models vote for classes, and a regression has none; let their outputs be averaged.',
  );
}

/**
 * Makes one answer of those of all members.
 *
 * @param outputs row-major, numRows x numMembers x numOutputs
 * @returns row-major, numRows x numOutputs; NaN for a vote in which an output of a member is not finite
 */
export function combineOutputs(
  combination: Combination,
  outputs: Float32Array,
  numMembers: number,
  numOutputs: number,
): Float32Array {
  const numRows = outputs.length / (numMembers * numOutputs);
  const combined = new Float32Array(numRows * numOutputs);
  for (let row = 0; row < numRows; row++) {
    const answer = row * numOutputs;
    for (let member = 0; member < numMembers; member++) {
      const start = (row * numMembers + member) * numOutputs;
      if (combination === 'vote') vote(outputs, start, numOutputs, combined, answer);
      else for (let i = 0; i < numOutputs; i++) combined[answer + i] += outputs[start + i];
    }
    for (let i = answer; i < answer + numOutputs; i++) combined[i] /= numMembers;
  }
  return combined;
}

/** Adds the vote of one member to the counts of a row. */
function vote(
  outputs: Float32Array,
  start: number,
  numOutputs: number,
  counts: Float32Array,
  answer: number,
): void {
  let chosen = 0;
  for (let i = 0; i < numOutputs; i++) {
    if (!Number.isFinite(outputs[start + i])) {
      counts.fill(NaN, answer, answer + numOutputs);
      return;
    }
    if (outputs[start + i] > outputs[start + chosen]) chosen = i;
  }
  if (numOutputs === 1) counts[answer] += outputs[start] > 0.5 ? 1 : 0;
  else counts[answer + chosen] += 1;
}

/** What the weights of a member are called in the vector of its ensemble, such as `member_1/dense_1/kernel`. */
export function memberPrefix(member: number): string {
  return `member_${member + 1}/`;
}

/** The ensemble of trained models of one specification. @param members their weights */
export function ensembleArtifact(
  spec: ModelSpec,
  combination: Combination,
  members: readonly WeightVector[],
): EnsembleArtifact {
  const { length } = members[0].values;
  const values = new Float32Array(members.length * length);
  for (const [member, each] of members.entries()) values.set(each.values, member * length);
  const specs = members.flatMap((each, member) =>
    each.specs.map(({ name, shape }) => ({ name: memberPrefix(member) + name, shape })),
  );
  return {
    format: 'ensemble',
    combination,
    numMembers: members.length,
    spec,
    weights: { specs, values },
  };
}
