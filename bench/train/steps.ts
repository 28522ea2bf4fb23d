import { join } from 'node:path';
import { runCommand } from '../../deploy/bootstrap/command.mjs';
import { packageRoot } from '../../src/config/package-root.js';
import type { Outcome, Section } from '../benchmark.js';
import { peersFolder, type Python } from '../peers/python.js';
import { measureRounds, ratios, spreadCells, type Rounds } from '../rounds.js';
import { spreadOf } from '../statistics.js';
import type { Surroundings } from '../surroundings.js';
import { trainingCases, type TrainingCase } from './cases.js';

/** What trains: by its graph, layer by layer, and Keras. */
const contenders = { millrace: 'millrace', eager: 'variant', Keras: 'peer' } as const;
type Contender = keyof typeof contenders;

/** Steps per second of networks in minibatches of one size. */
export async function measureSteps(
  {
    seconds,
    repeats,
    python,
  }: { readonly seconds: number; readonly repeats: number; readonly python: Python },
  surroundings: Surroundings,
): Promise<Outcome> {
  const names = Object.keys(contenders).filter((name) => name !== 'Keras' || 'command' in python);
  const measured: { readonly case: TrainingCase; readonly rounds: Rounds<number> }[] = [];
  for (const [place, each] of trainingCases.entries()) {
    const rounds = await measureRounds(repeats, names, async (name) => {
      surroundings.signal.throwIfAborted();
      const command = 'command' in python ? python.command : '';
      const rate = await stepsPerSecond(name as Contender, { seconds, place, command }, surroundings);
      surroundings.say(`${describeCase(each)}, ${name}: ${rate.toFixed(0)} steps/s`);
      return rate;
    });
    measured.push({ case: each, rounds });
  }
  return {
    results: measured.map(({ case: each, rounds }) => {
      return { ...each, stepsPerSecond: Object.fromEntries(rounds) };
    }),
    sections: [sectionOf(names as Contender[], measured)],
  };
}

async function stepsPerSecond(
  contender: Contender,
  { seconds, place, command }: { readonly seconds: number; readonly place: number; readonly command: string },
  { environment, folder }: Surroundings,
): Promise<number> {
  if (contender === 'Keras') {
    const args = [join(peersFolder, 'train.py'), String(seconds), JSON.stringify(trainingCases[place])];
    return Number(await runCommand(command, args, { env: environment }));
  }
  const program = join(packageRoot, 'dist', 'bench', 'train', 'steps-alone.js');
  // Where no graph can be written, networks are trained layer by layer.
  const env = contender === 'eager' ? { ...environment, TMPDIR: join(folder, 'missing') } : environment;
  return Number(await runCommand(process.execPath, [program, String(seconds), String(place)], { env }));
}

/** A case in a few words. */
export function describeCase({ name, minibatchSize, optimizer }: TrainingCase): string {
  return `${name}, ${optimizer}, ${minibatchSize} rows`;
}

function sectionOf(
  names: readonly Contender[],
  measured: readonly { readonly case: TrainingCase; readonly rounds: Rounds<number> }[],
): Section {
  const steps = (value: number) => value.toFixed(0);
  const timesKeras = (rounds: Rounds<number>) => {
    const keras = rounds.get('Keras');
    if (keras === undefined) return [];
    return [spreadCells(ratios(rounds.get('millrace')!, keras), (ratio) => ratio.toFixed(2)).join(' ')];
  };
  return {
    title: 'Training',
    text: 'Steps per second on rows that stand in memory: SingleTrainer with a network as one graph and layer by layer (eager), and `train_on_batch` of Keras 3, median of the runs with the lowest and the highest.',
    table: [
      ['network, optimizer, minibatch', ...names, ...(names.includes('Keras') ? ['times Keras'] : [])],
      ...measured.map(({ case: each, rounds }) => [
        describeCase(each),
        ...names.map((name) => spreadCells(rounds.get(name)!, steps).join(' ')),
        ...timesKeras(rounds),
      ]),
    ],
    chart: {
      title: 'Training',
      unit: 'steps/s',
      groups: measured.map(({ case: each, rounds }) => ({
        label: describeCase(each),
        bars: names.map((name) => ({
          label: name,
          kind: contenders[name],
          spread: spreadOf(rounds.get(name)!),
        })),
      })),
    },
  };
}
