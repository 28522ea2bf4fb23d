import type { AlgorithmSettings } from './algorithms/algorithm.js';
import type { CommitAnswer } from './center-variable.js';
import { FrameError, type Frame } from './frame.js';
import type { OffsetRange, PartitionPosition } from './positions.js';

/** Numbers of the frames; requests are odd, and each has the answer behind it, or a refusal. */
export const messageTypes = {
  /** Who speaks: the first frame of a connection. */
  hello: 1,
  welcome: 2,
  /** For the center variable, unless it has still the clock that is known. */
  pull: 3,
  center: 4,
  commit: 5,
  answer: 6,
  /** Takes up partitions. */
  begin: 7,
  positions: 8,
  /** The connection ends behind it. */
  refusal: 10,
} as const;
export type MessageType = (typeof messageTypes)[keyof typeof messageTypes];

export interface Hello {
  /** Of this run of a worker, and of no other. */
  readonly worker: string;
  readonly token?: string | undefined;
}

export interface Welcome {
  readonly algorithm: string;
  readonly settings: AlgorithmSettings;
  readonly numWeights: number;
  readonly clock: number;
}

export interface Pull {
  /** -1: none. */
  readonly knownClock: number;
}

/** The numbers are the weights, or none when the clock is the one that was known. */
export interface Center {
  readonly clock: number;
}

/** The numbers are the residual, and behind it, for the rules that need it, the center variable of `baseClock`. */
export interface CommitHead {
  readonly sequence: number;
  readonly baseClock: number;
  readonly ranges: readonly OffsetRange[];
  /** The answer is to bring the center variable, if it has moved since `baseClock`. */
  readonly pulls: boolean;
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

const maxNameLength = 249;
const maxPartitions = 10_000;

/** Reads what has come from the other side. Each throws FrameError for anything else than such a message. */
export function readHello({ head }: Frame): Hello {
  const { worker, token } = objectOf(head);
  if (typeof worker !== 'string' || worker === '' || worker.length > maxNameLength) throw unfit('worker');
  if (token !== undefined && typeof token !== 'string') throw unfit('token');
  return { worker, token };
}

export function readWelcome({ head }: Frame): Welcome {
  const { algorithm, settings, numWeights, clock } = objectOf(head);
  if (typeof algorithm !== 'string') throw unfit('algorithm');
  const { communicationWindow, rho, learningRate, momentum } = objectOf(settings);
  return {
    algorithm,
    settings: {
      communicationWindow: numberOf(communicationWindow, 'communicationWindow'),
      rho: numberOf(rho, 'rho'),
      learningRate: numberOf(learningRate, 'learningRate'),
      momentum: numberOf(momentum, 'momentum'),
    },
    numWeights: countOf(numWeights, 'numWeights'),
    clock: countOf(clock, 'clock'),
  };
}

export function readPull({ head }: Frame): Pull {
  const { knownClock } = objectOf(head);
  return { knownClock: knownClock === -1 ? -1 : countOf(knownClock, 'knownClock') };
}

export function readCenter({ head }: Frame): Center {
  return { clock: countOf(objectOf(head)['clock'], 'clock') };
}

export function readCommit({ head }: Frame): CommitHead {
  const { sequence, baseClock, ranges, pulls } = objectOf(head);
  return {
    sequence: countOf(sequence, 'sequence'),
    baseClock: countOf(baseClock, 'baseClock'),
    ranges: listOf(ranges, 'ranges').map((each) => {
      const { from, to } = objectOf(each);
      return { ...partitionOf(each), from: offsetOf(from), to: offsetOf(to) };
    }),
    pulls: pulls === true,
  };
}

export function readAnswer({ head }: Frame): CommitAnswer {
  const { outcome, clock, staleness, reason, positions } = objectOf(head);
  if (outcome === 'applied') {
    return { outcome, clock: countOf(clock, 'clock'), staleness: countOf(staleness, 'staleness') };
  }
  if (outcome !== 'refused' || typeof reason !== 'string') throw unfit('outcome');
  return {
    outcome,
    // What a server of a later version may say is not acted on differently.
    reason: reason as Extract<CommitAnswer, { outcome: 'refused' }>['reason'],
    clock: countOf(clock, 'clock'),
    positions: positionsOf(positions),
  };
}

/** Of a request to take up partitions, and of the answer to it. */
export function readPositions({ head }: Frame): PartitionPosition[] {
  return positionsOf(objectOf(head)['positions']);
}

export function readRefusal({ head }: Frame): Refusal {
  const { code, message } = objectOf(head);
  return { code: String(code), message: String(message) };
}

/** Offsets are 64 bits wide, which JSON's numbers are not. */
export function plainOffsets(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each)),
  ) as unknown;
}

function positionsOf(value: unknown): PartitionPosition[] {
  return listOf(value, 'positions').map((each) => {
    return { ...partitionOf(each), position: offsetOf(objectOf(each)['position']) };
  });
}

function partitionOf(value: unknown): { readonly topic: string; readonly partition: number } {
  const { topic, partition } = objectOf(value);
  if (typeof topic !== 'string' || topic.length > maxNameLength) throw unfit('topic');
  return { topic, partition: countOf(partition, 'partition') };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unfit('head');
  return value as Record<string, unknown>;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxPartitions) throw unfit(name);
  return value;
}

function numberOf(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw unfit(name);
  return value;
}

function countOf(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw unfit(name);
  return value as number;
}

function offsetOf(value: unknown): bigint {
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) throw unfit('offset');
  return BigInt(value);
}

function unfit(name: string): FrameError {
  return new FrameError(`its ${name} is none`);
}
