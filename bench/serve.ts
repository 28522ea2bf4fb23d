import { defineOptions, type Compiled } from '../src/config/options.js';
import { MillraceError } from '../src/errors.js';
import { defineBenchmark, type Outcome } from './benchmark.js';
import { fitNetwork, prepareRows, type Workload } from './delivery/workload.js';
import { preparePython } from './peers/python.js';
import { measureProfile, profileSections } from './profile/profile.js';
import { requireAgreement } from './serve/agreement.js';
import { casesFor, networks, plainCase } from './serve/cases.js';
import { measureHealth } from './serve/health.js';
import { measureLatencies } from './serve/latency.js';
import { measureLimit } from './serve/limit.js';
import { measureStartUps } from './serve/start-up.js';
import {
  fullRateOf,
  measureThroughput,
  stageSection,
  throughputSection,
  type Throughput,
} from './serve/throughput.js';
import { withBroker, type StreamSurroundings } from './surroundings.js';
import { count } from './table.js';

const parts = ['full-load', 'limit', 'latency', 'health', 'start-up'] as const;
type Part = (typeof parts)[number] | 'profile';

const serveOptions = defineOptions({
  rows: { type: 'integer', default: 400_000, min: 1_000, description: 'Rows of the backlog' },
  repeats: { type: 'integer', default: 5, min: 1, description: 'Rounds of each measurement' },
  seconds: { type: 'integer', default: 8, min: 1, description: 'How long rows come, for the latency' },
  parts: { type: 'list', default: parts, description: 'What is measured, separated by commas' },
  peer: {
    type: 'string',
    choices: ['python', 'none'],
    default: 'python',
    description: 'The consumer that is measured as well',
  },
  profile: {
    type: 'string',
    placeholder: 'FOLDER',
    description: 'Keep CPU profiles of every thread of a member in this folder, and say where its time goes',
  },
});
type Options = Compiled<typeof serveOptions>;

/** What a serving member does from topic to topic, beside the consumer that one would otherwise write. */
export const serve = defineBenchmark({
  name: 'serve',
  summary: 'rows from topic to topic, beside a consumer in Python and the model alone',
  options: serveOptions,
  quick: { rows: 120_000, repeats: 1, seconds: 1 },
  run: (options, bare) => {
    const wanted = partsOf(options);
    return withBroker(bare, (surroundings) => measureServing(wanted, options, surroundings));
  },
});

async function measureServing(
  wanted: ReadonlySet<Part>,
  options: Options,
  surroundings: StreamSurroundings,
): Promise<Outcome> {
  const { repeats, seconds } = options;
  const workload = await prepareRows(options.rows, surroundings);
  const bundle = await fitNetwork(networks.large, surroundings);
  let fullRate: number | undefined;
  const measurements: Readonly<Record<Part, () => Promise<Outcome>>> = {
    'full-load': async () => {
      const { outcome, rate } = await measureFullLoads(bundle, workload, options, surroundings);
      fullRate = rate;
      return outcome;
    },
    limit: () => measureLimit(bundle, repeats, surroundings),
    latency: async () => {
      fullRate ??= fullRateOf(
        await measureThroughput(plainCase(bundle, workload), 1, undefined, surroundings),
      );
      return measureLatencies(bundle, workload, { fullRate, repeats, seconds }, surroundings);
    },
    health: () => measureHealth(bundle, workload, repeats, surroundings),
    'start-up': () => measureStartUps(bundle, workload, repeats, surroundings),
    profile: async () => {
      const threads = await measureProfile(bundle, workload, options.profile!, surroundings);
      return { results: threads, sections: profileSections(threads) };
    },
  };
  const outcomes = new Map<string, Outcome>();
  for (const part of wanted) outcomes.set(part, await measurements[part]());
  return {
    results: Object.fromEntries([...outcomes].map(([part, { results }]) => [part, results])),
    sections: [...outcomes.values()].flatMap(({ sections }) => sections),
  };
}

function partsOf({ parts: wanted, profile }: Options): ReadonlySet<Part> {
  const unknown = wanted.find((part) => !(parts as readonly string[]).includes(part));
  if (unknown === undefined) {
    const chosen = parts.filter((part) => wanted.includes(part));
    return new Set<Part>(profile === undefined ? chosen : [...chosen, 'profile']);
  }
  throw new MillraceError(
    'MILLRACE_CONFIG_INVALID',
    `--parts must be some of ${parts.join(', ')}, not "${unknown}".`,
  );
}

async function measureFullLoads(
  bundle: string,
  workload: Workload,
  { peer, rows, repeats }: Options,
  surroundings: StreamSurroundings,
): Promise<{ readonly outcome: Outcome; readonly rate: number }> {
  const python =
    peer === 'none' ? { reason: 'it was not asked for' } : await preparePython(surroundings.cache);
  const command = 'reason' in python ? undefined : python.command;
  if (command !== undefined) await requireAgreement(command, bundle, workload.file, surroundings);
  const cases: Throughput[] = [];
  for (const each of await casesFor(bundle, workload, surroundings)) {
    cases.push(await measureThroughput(each, repeats, command, surroundings));
  }
  const note =
    'reason' in python
      ? `Not measured: ${python.reason}.`
      : 'Before anything was timed, both predicted the same rows within 0.0001.';
  const text = `A backlog of ${count(rows)} rows of 30 features for each member in four partitions, ${repeats} rounds; ratios are of the runs of one round.
The peer is bench/peers/serve.py: confluent-kafka, orjson or fastavro, numpy and a \`tf.function\`, batches of 4,096, at least once.
${note}`;
  const results = cases.map(({ title, rounds }) => ({ title, ...Object.fromEntries(rounds) }));
  return {
    outcome: { results, sections: [throughputSection(cases, text), stageSection(cases)] },
    rate: fullRateOf(cases[0]),
  };
}
