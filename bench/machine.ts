import { cpus, loadavg } from 'node:os';
import { kafkaVersion } from '../deploy/embedded-broker/kafka-jars.js';

/** What the figures depend on. */
export interface Machine {
  readonly numCores: number;
  readonly processor: string;
  readonly node: string;
  readonly kafka: string;
  /** Of the last minute, before anything was measured: what others do on it. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    numCores: cores.length,
    processor: cores[0]?.model.trim() ?? 'unknown',
    node: process.versions.node,
    kafka: kafkaVersion,
    loadAverage: loadavg()[0],
  };
}

export function machineSentence({ numCores, processor, node, kafka, loadAverage }: Machine): string {
  return `On ${numCores} cores (${processor}), Node.js ${node}, Kafka ${kafka}; load average before it ${loadAverage.toFixed(1)}.`;
}

/** CPU time that all processes of this machine have used since it started, in seconds. */
export function machineCpuSeconds(): number {
  const milliseconds = cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
  return milliseconds / 1000;
}
