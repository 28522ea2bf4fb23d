import { MillraceError } from '../../errors.js';
import { adag } from './adag.js';
import { aeasgd } from './aeasgd.js';
import type { Algorithm, AlgorithmSettings } from './algorithm.js';
import { downpour } from './downpour.js';
import { dynsgd } from './dynsgd.js';
import { eamsgd } from './eamsgd.js';
import { experimental } from './experimental.js';

/** Every rule; a new one is a file and a line here. */
export const algorithms: readonly Algorithm[] = [adag, downpour, dynsgd, aeasgd, eamsgd, experimental];

/**
 * Throws MILLRACE_CONFIG_INVALID for a rule that is not known, and for constants it cannot work with.
 *
 * @param given constants that are not those of the rule by default
 */
export function chooseAlgorithm(
  name: string,
  given: Partial<AlgorithmSettings> = {},
): { readonly algorithm: Algorithm; readonly settings: AlgorithmSettings } {
  const algorithm = algorithms.find((each) => each.name === name);
  if (algorithm === undefined) {
    const names = algorithms.map((each) => each.name).join(', ');
    throw new MillraceError('MILLRACE_CONFIG_INVALID', `"${name}" is no algorithm; there are ${names}.`);
  }
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const settings: AlgorithmSettings = { ...algorithm.defaults, ...known };
  checkSettings(algorithm, settings);
  return { algorithm, settings };
}

function checkSettings({ name, isElastic }: Algorithm, settings: AlgorithmSettings): void {
  const { communicationWindow, rho, learningRate, momentum } = settings;
  const problem =
    !Number.isSafeInteger(communicationWindow) || communicationWindow < 1
      ? `a communication window is a number of minibatches, from 1 on, and not ${communicationWindow}`
      : !(learningRate > 0 && learningRate < Infinity)
        ? `the learning rate must be above 0, and not ${learningRate}`
        : !(momentum >= 0 && momentum < 1)
          ? `momentum must be from 0 to below 1, and not ${momentum}`
          : isElastic && !(rho > 0 && rho * learningRate <= 1)
            ? `rho times the learning rate must be above 0 and at most 1, or worker and center overshoot each other; it is ${rho * learningRate}`
            : undefined;
  if (problem !== undefined) throw new MillraceError('MILLRACE_CONFIG_INVALID', `${name}: ${problem}.`);
}
