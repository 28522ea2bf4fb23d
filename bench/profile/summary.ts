/** What V8 writes: a tree of call frames, and which of them ran at each sample. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds between a sample and the one before. */
  readonly timeDeltas: readonly number[];
}

/** Where the time of a thread went. */
export interface ThreadTime {
  /** Of the time of the profile, how much the thread did anything. */
  readonly busyShare: number;
  /** Of the busy time, by file or package; the largest first. */
  readonly modules: readonly (readonly [name: string, share: number])[];
  /** Of the busy time, by what it was done for; the largest first. */
  readonly stages: readonly (readonly [stage: string, share: number])[];
}

const collection = 'garbage collection';
const runtime = 'native code and runtime';
const other = 'everything else';

/** What begins and ends the profile is no part of what is measured. */
const profiler = /\/bench\/profile\/preload\.js$/;

/** The first pattern that fits `file#function` says what was done; if none fits, the caller's counts. */
const stagePatterns: readonly (readonly [string, RegExp])[] = [
  ['transaction', /^src\/stream\/publisher\/transaction|^kafkajs\/.*(txn|addOffsets|addPartitions)/i],
  ['produce', /^src\/(stream\/publisher|serving\/(delivery|exactly|at-least))|^kafkajs\/.*produce/],
  ['produce', /^src\/stream\/client\/(byte-writer|produced|record-batch-writer)/],
  [
    'encode',
    /^src\/(record\/.*#.*(encode|conform|write)|serving\/chunk-answerer#.*encode|model\/predictor#value)/i,
  ],
  ['decode', /^src\/(record\/|features\/(row-|batch-)|serving\/chunk-answerer#.*decode)/],
  ['transform', /^src\/features\//],
  ['predict', /^(src\/tensorflow|@tensorflow|src\/serving\/micro-batcher|src\/model\/predictor)/],
  // Checksums are for whoever asks for them.
  ['fetch', /^src\/stream\/(source|client)\/(?!crc)|^kafkajs\/.*(fetch|consumer)/],
  ['HTTP, metrics, logs', /^(src\/web|fastify|src\/telemetry|prom-client|pino)/],
  ['other requests', /^kafkajs\/src\/(network|broker|cluster)/],
];

/**
 * Sums up the time that each function was on top of the stack: by the file or package it belongs to, where what Node.js
 * and its built-in functions do counts for who called them, and by stage. Garbage collection stands by itself.
 */
export function summarizeProfile({ nodes, samples, timeDeltas }: CpuProfile): ThreadTime {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const selfMicros = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    selfMicros.set(id, (selfMicros.get(id) ?? 0) + timeDeltas[index]);
  }
  const modules = new Map<string, number>();
  const stages = new Map<string, number>();
  let [busy, total] = [0, 0];
  for (const [id, micros] of selfMicros) {
    const frames = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      frames.push(byId.get(at)!.callFrame);
    }
    if (frames.some(({ url }) => profiler.test(url))) continue;
    total += micros;
    const [{ functionName }] = frames;
    if (functionName === '(idle)') continue;
    busy += micros;
    const special = specialName(functionName);
    const named = frames.map(({ url, functionName: name }) => ({ module: moduleOf(url), name }));
    add(modules, special ?? named.find(({ module }) => module !== undefined)?.module ?? 'Node.js', micros);
    add(stages, special ?? stageOf(named), micros);
  }
  return {
    busyShare: total === 0 ? 0 : busy / total,
    modules: sharesOf(modules, busy),
    stages: sharesOf(stages, busy),
  };
}

function specialName(functionName: string): string | undefined {
  if (functionName === '(garbage collector)') return collection;
  return functionName === '(program)' ? runtime : undefined;
}

function stageOf(frames: readonly { module: string | undefined; name: string }[]): string {
  for (const { module, name } of frames) {
    if (module === undefined) continue;
    const stage = stagePatterns.find(([, pattern]) => pattern.test(`${module}#${name}`));
    if (stage !== undefined) return stage[0];
  }
  return other;
}

/** `src/record/json-codec`, or `kafkajs/src/protocol/encoder`; undefined for what belongs to Node.js. */
function moduleOf(url: string): string | undefined {
  const [, file] = /(?:\/node_modules\/|\/dist\/)((?!.*\/node_modules\/).+?)(?:\.[cm]?js)?$/.exec(url) ?? [];
  return file;
}

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

function sharesOf(sums: ReadonlyMap<string, number>, busy: number): [string, number][] {
  const shares = [...sums].map(([name, micros]): [string, number] => [name, micros / busy]);
  return shares.sort(([, a], [, b]) => b - a);
}
