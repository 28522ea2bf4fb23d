import { defineOptions } from '../src/config/options.js';
import { MillraceError } from '../src/errors.js';
import { defineBenchmark, type Outcome } from './benchmark.js';
import { preparePython } from './peers/python.js';
import { measureAtRest } from './train/at-rest.js';
import { measureStepMemory } from './train/memory.js';
import { measureParts } from './train/parts.js';
import { measureSteps } from './train/steps.js';

const parts = ['steps', 'parts-of-steps', 'memory', 'at-rest'] as const;
type Part = (typeof parts)[number];

/** Training by itself: steps on rows in memory, and runs on files from the first byte on. */
export const train = defineBenchmark({
  name: 'train',
  summary: 'training, compared with Keras: steps, and whole runs on files',
  options: defineOptions({
    seconds: {
      type: 'number',
      default: 3,
      min: 0.1,
      description: 'Seconds that each run of the steps counts',
    },
    minutes: {
      type: 'number',
      default: 3,
      min: 0.01,
      description: 'How long memory is watched, for each network',
    },
    repeats: { type: 'integer', default: 3, min: 1, description: 'Runs of each way' },
    parts: { type: 'list', default: parts, description: 'What is measured, separated by commas' },
    rows: { type: 'integer', default: 10_000, min: 100, description: 'Rows of each generated file' },
    sweeps: {
      type: 'integer',
      min: 1,
      description: 'Sweeps of each run on a file; without it, as many as suit the file',
    },
    events: {
      type: 'list',
      placeholder: 'TRAIN.csv,TEST.csv',
      description:
        'Events of HIGGS in place of generated ones: EventId, 28 features, Label; without TEST, a fifth is held out',
    },
    digits: {
      type: 'list',
      placeholder: 'TRAIN.csv,TEST.csv',
      description: 'Digits of MNIST in place of generated ones: label, p0 to p783; likewise',
    },
  }),
  quick: { seconds: 0.1, minutes: 0.01, repeats: 1, rows: 200, sweeps: 1 },
  async run(options, surroundings) {
    const wanted = partsOf(options.parts);
    const python = await preparePython(surroundings.cache);
    if ('reason' in python) surroundings.say(`${python.reason}: measured without Keras`);
    const measurements: Readonly<Record<Part, () => Promise<Outcome>>> = {
      steps: () => measureSteps({ ...options, python }, surroundings),
      'parts-of-steps': () => measureParts(options, surroundings),
      memory: () => measureStepMemory(options, surroundings),
      'at-rest': () => measureAtRest({ ...options, python }, surroundings),
    };
    const outcomes: [Part, Outcome][] = [];
    for (const part of parts) if (wanted.has(part)) outcomes.push([part, await measurements[part]()]);
    return {
      results: Object.fromEntries(outcomes.map(([part, { results }]) => [part, results])),
      sections: outcomes.flatMap(([, { sections }]) => sections),
    };
  },
});

function partsOf(names: readonly string[]): ReadonlySet<Part> {
  const unknown = names.find((name) => !parts.some((part) => part === name));
  if (unknown === undefined) return new Set(names as readonly Part[]);
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `There is no part "${unknown}" of the benchmark; there are ${parts.join(', ')}.`,
  );
}
