import { defineOptions, type Compiled } from '../src/config/options.js';
import { logLevels } from '../src/telemetry/logger.js';

/** Options that every program has, because every program is a process. */
export const processOptions = defineOptions({
  logLevel: {
    type: 'string',
    choices: logLevels,
    default: 'info',
    placeholder: 'LEVEL',
    description: 'Least severe level that is logged',
    section: 'Process',
  },
  drainTimeoutMs: {
    type: 'integer',
    default: 120_000,
    min: 0,
    description: 'Longest time for finishing what is in flight after SIGTERM or Ctrl-C',
    section: 'Process',
  },
});

/** The compiled form of `processOptions`. */
export type ProcessOptions = Compiled<typeof processOptions>;
