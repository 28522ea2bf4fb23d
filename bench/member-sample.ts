import { machineCpuSeconds } from './machine.js';

/** The stages of a serving member, as its metrics call them. */
export const stages = ['decode', 'transform', 'predict', 'encode', 'produce'] as const;
export type Stage = (typeof stages)[number];

/** What a serving member has done since it started, by its metrics. */
export interface MemberSample {
  /** When, by performance.now(). */
  readonly atMs: number;
  readonly rows: number;
  readonly cpuSeconds: number;
  /** Of all processes of the machine. */
  readonly machineCpuSeconds: number;
  /** Seconds spent in each stage, summed over what ran side by side. */
  readonly stageSeconds: Readonly<Record<Stage, number>>;
  /** How often answers were written: exactly once, one of them is one transaction. */
  readonly deliveries: number;
}

/** Asks a member that answers at this address. */
export async function sampleMember(url: string, signal: AbortSignal): Promise<MemberSample> {
  const askedAtMs = performance.now();
  const response = await fetch(`${url}/metrics`, { signal });
  const text = await response.text();
  return {
    ...readSample(text),
    atMs: (askedAtMs + performance.now()) / 2,
    machineCpuSeconds: machineCpuSeconds(),
  };
}

/** Reads the text of `/metrics`. */
export function readSample(text: string): Omit<MemberSample, 'atMs' | 'machineCpuSeconds'> {
  const values = new Map(
    [...text.matchAll(/^([^#\s]+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
  // A stage that nothing went through yet is not there.
  const stage = (name: Stage, part: 'sum' | 'count') =>
    values.get(`millrace_stage_duration_seconds_${part}{stage="${name}"}`) ?? 0;
  return {
    rows: values.get('millrace_rows_total') ?? 0,
    cpuSeconds: values.get('process_cpu_seconds_total') ?? 0,
    stageSeconds: Object.fromEntries(stages.map((name) => [name, stage(name, 'sum')])) as Record<
      Stage,
      number
    >,
    deliveries: stage('produce', 'count'),
  };
}
