import { cpus, loadavg, release, type } from 'node:os';
import { nativeVersions } from '../src/tensorflow/native-location.js';
import { kafkaVersion } from '../deploy/embedded-broker/kafka-jars.js';

/** What the figures depend on. */
export interface Machine {
  readonly numCores: number;
  readonly processor: string;
  readonly system: string;
  readonly node: string;
  /** The native one, where there is one. */
  readonly tensorflow: string;
  readonly kafka: string;
  /** Of the last minute, before anything was measured: what others do on it. */
  readonly loadAverage: number;
}

export function describeMachine(): Machine {
  const cores = cpus();
  return {
    numCores: cores.length,
    processor: cores[0]?.model.trim() ?? 'unknown',
    system: `${type()} ${release()}`,
    node: process.versions.node,
    tensorflow: nativeVersions.tensorflow,
    kafka: kafkaVersion,
    loadAverage: loadavg()[0],
  };
}

export function machineSentence(machine: Machine): string {
  const { numCores, processor, system, node, tensorflow, kafka, loadAverage } = machine;
  const versions = `Node.js ${node}, TensorFlow ${tensorflow}, Kafka ${kafka}`;
  return `On ${numCores} cores (${processor}, ${system}), ${versions}; load average before it ${loadAverage.toFixed(1)}.`;
}

/** CPU time that all processes of this machine have used since it started, in seconds. */
export function machineCpuSeconds(): number {
  const milliseconds = cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
  return milliseconds / 1000;
}
