import { machineCpuSeconds } from './machine.js';

/** The stages of a serving member, as its metrics call them. */
export const stages = ['decode', 'transform', 'predict', 'encode', 'produce'] as const;
export type Stage = (typeof stages)[number];

/** What somebody who serves has done since the start. */
export interface Sample {
  /** When, by a clock that never goes back. */
  readonly atMs: number;
  readonly rows: number;
  readonly cpuSeconds: number;
  /** Of all processes of the machine. */
  readonly machineCpuSeconds: number;
}

/** What a serving member has done, by its metrics. */
export interface MemberSample extends Sample {
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

/** Samples of several members, taken at the same time, as one. Throws for none. */
export function addSamples(samples: readonly MemberSample[]): MemberSample {
  return samples.reduce((sum, each) => ({
    atMs: Math.max(sum.atMs, each.atMs),
    rows: sum.rows + each.rows,
    cpuSeconds: sum.cpuSeconds + each.cpuSeconds,
    machineCpuSeconds: Math.max(sum.machineCpuSeconds, each.machineCpuSeconds),
    stageSeconds: Object.fromEntries(
      stages.map((stage) => [stage, sum.stageSeconds[stage] + each.stageSeconds[stage]]),
    ) as Record<Stage, number>,
    deliveries: sum.deliveries + each.deliveries,
  }));
}

/** Reads the text of `/metrics`. */
export function readSample(text: string): Omit<MemberSample, 'atMs' | 'machineCpuSeconds'> {
  const values = metricValues(text);
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

/** The values of the text of `/metrics`, by name and labels as they stand there. */
export function metricValues(text: string): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^([^#\s]+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}
