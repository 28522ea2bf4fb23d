import { createReadStream, createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../src/config/package-root.js';
import type { TrainerSpec } from '../../src/training/trainer-spec.js';
import type { Outcome, Section } from '../benchmark.js';
import { peersFolder, type Python } from '../peers/python.js';
import { measureRounds, ratios, spreadBy, spreadCells, type Rounds } from '../rounds.js';
import { spreadOf } from '../statistics.js';
import type { Surroundings } from '../surroundings.js';
import { restCases, type RestCase } from './rest-cases.js';

/** What a run on a file came to. */
export interface RestRun {
  /** From the first byte of the file to the last step, without the start of the process. */
  readonly seconds: number;
  /** Of these, until all rows were numbers in memory. */
  readonly readSeconds: number;
  readonly sweepSeconds: readonly number[];
  /** Share of the rows that were held out which are answered rightly. */
  readonly accuracy: number;
}

/** What is measured, and on what. */
export interface RestOptions {
  readonly repeats: number;
  readonly rows: number;
  readonly sweeps?: number | undefined;
  /** The file to learn from, and the one that is held out. */
  readonly events?: readonly string[] | undefined;
  readonly digits?: readonly string[] | undefined;
  readonly python: Python;
}

const trainers: Readonly<Record<string, TrainerSpec>> = {
  single: { name: 'single' },
  averaging: { name: 'averaging', numWorkers: 2 },
  ensemble: { name: 'ensemble', numWorkers: 2, combination: 'average' },
};

/** Runs on files, from their first byte to the last step, by each trainer and by `fit` of Keras. */
export async function measureAtRest(options: RestOptions, surroundings: Surroundings): Promise<Outcome> {
  const { python, repeats } = options;
  const names = [...Object.keys(trainers), ...('command' in python ? ['Keras'] : [])];
  const measured: { readonly case: RestCase; readonly rounds: Rounds<RestRun> }[] = [];
  for (const { lines, ...restCase } of restCases) {
    const given = options[restCase.name] ?? [
      await writeTable(lines(options.rows, 1), restCase, surroundings),
    ];
    const files = given.length > 1 ? given : await holdOut(given[0], surroundings.folder);
    const numSweeps = options.sweeps ?? restCase.numSweeps;
    const rounds = await measureRounds(repeats, names, async (name, round) => {
      surroundings.signal.throwIfAborted();
      const settings = JSON.stringify({ ...restCase, numSweeps, seed: round + 1 });
      const run = JSON.parse(await runOnce(name, settings, files, options, surroundings)) as RestRun;
      const accuracy = run.accuracy.toFixed(3);
      surroundings.say(`${restCase.name}, ${name}: ${run.seconds.toFixed(1)} s, accuracy ${accuracy}`);
      return run;
    });
    measured.push({ case: { ...restCase, numSweeps }, rounds });
  }
  return {
    results: measured.map(({ case: each, rounds }) => ({ ...each, runs: Object.fromEntries(rounds) })),
    sections: [sectionOf(names, measured)],
  };
}

function runOnce(
  name: string,
  settings: string,
  files: readonly string[],
  { python }: RestOptions,
  { environment }: Surroundings,
): Promise<string> {
  if (name === 'Keras' && 'command' in python) {
    return runCommand(python.command, [join(peersFolder, 'fit.py'), settings, ...files], {
      env: environment,
    });
  }
  const program = join(packageRoot, 'dist', 'bench', 'train', 'fit-alone.js');
  return runCommand(process.execPath, [program, settings, JSON.stringify(trainers[name]), ...files], {
    env: environment,
  });
}

async function writeTable(
  lines: Iterable<string>,
  { name }: RestCase,
  { folder }: Surroundings,
): Promise<string> {
  const file = join(folder, `${name}.csv.gz`);
  await pipeline(Readable.from(lines), createGzip(), createWriteStream(file));
  return file;
}

/** Cuts a file in two, packed as it is: the last fifth of its rows is held out. */
async function holdOut(file: string, folder: string): Promise<string[]> {
  const isPacked = file.endsWith('.gz');
  const bytes = createReadStream(file);
  const input = isPacked ? bytes.pipe(createGunzip()) : bytes;
  const all: string[] = [];
  for await (const line of createInterface({ input })) if (line !== '') all.push(line);
  const [header, ...rows] = all;
  const end = rows.length - Math.floor(rows.length / 5);
  const parts = { train: rows.slice(0, end), test: rows.slice(end) };
  return Promise.all(
    Object.entries(parts).map(async ([part, lines]) => {
      const place = join(folder, `${part}-${basename(file)}`);
      const text = Readable.from([header, ...lines].map((line) => `${line}\n`));
      const output = createWriteStream(place);
      await (isPacked ? pipeline(text, createGzip(), output) : pipeline(text, output));
      return place;
    }),
  );
}

function sectionOf(
  names: readonly string[],
  measured: readonly { readonly case: RestCase; readonly rounds: Rounds<RestRun> }[],
): Section {
  const seconds = (value: number) => value.toFixed(value < 1 ? 2 : 1);
  const cells = (values: readonly number[], format: (value: number) => string) =>
    spreadCells(values, format).join(' ');
  const timesKeras = (rounds: Rounds<RestRun>, name: string) => {
    const keras = rounds.get('Keras');
    if (keras === undefined) return [];
    const secondsOf = (runs: readonly RestRun[]) => runs.map((run) => run.seconds);
    return [cells(ratios(secondsOf(keras), secondsOf(rounds.get(name)!)), (ratio) => ratio.toFixed(2))];
  };
  return {
    title: 'Training at rest',
    text: 'Whole runs on a CSV file, from its first byte to the last step: reading, fitting the transformers, training; without the start of the process. Averaging and ensemble have two workers, each member of the ensemble learns from all rows. Accuracy is on rows that were held out; every run has a seed of its own. Median of the runs with the lowest and the highest.',
    table: [
      [
        'file, network, trainer',
        ...['accuracy', 'seconds', 'of these reading', 'seconds per sweep'],
        ...(names.includes('Keras') ? ['times Keras'] : []),
      ],
      ...measured.flatMap(({ case: each, rounds }) =>
        names.map((name) => {
          const runs = rounds.get(name)!;
          return [
            `${each.name}, ${each.network}, ${each.minibatchSize} rows, ${each.numSweeps} sweeps, ${name}`,
            cells(
              runs.map((run) => run.accuracy),
              (value) => value.toFixed(3),
            ),
            cells(
              runs.map((run) => run.seconds),
              seconds,
            ),
            cells(
              runs.map((run) => run.readSeconds),
              seconds,
            ),
            cells(
              runs.map((run) => spreadOf(run.sweepSeconds).median),
              seconds,
            ),
            ...timesKeras(rounds, name),
          ];
        }),
      ),
    ],
    chart: {
      title: 'Training at rest',
      unit: 's',
      groups: measured.map(({ case: each, rounds }) => ({
        label: `${each.name}, ${each.numSweeps} sweeps`,
        bars: names.map((name) => ({
          label: name,
          kind: name === 'Keras' ? 'peer' : name === 'single' ? 'millrace' : 'variant',
          spread: spreadBy(rounds.get(name)!, (run) => run.seconds),
        })),
      })),
    },
  };
}
