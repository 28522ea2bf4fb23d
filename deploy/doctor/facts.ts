import type { Machine } from '../native-tensorflow/prerequisites.js';
import type { Tools } from '../tools.js';

/** Whether a thing that was set up is there: `absent`, `works`, or what is wrong with it. */
export type Condition = 'absent' | 'works' | { readonly broken: string };

/** Everything that `millrace doctor` looks at. */
export interface Facts {
  readonly node: string;
  readonly machine: Machine;
  readonly tools: Tools;
  readonly cache: { readonly folder: string; readonly writable: boolean; readonly freeBytes: number };
  readonly native: Condition;
  readonly wasm: Condition;
  readonly kafkaJars: Condition;
  /** The cluster that was configured; undefined if none was. */
  readonly brokers:
    { readonly addresses: readonly string[]; readonly problem: string | undefined } | undefined;
}
