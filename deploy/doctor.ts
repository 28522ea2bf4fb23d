import { cacheFolder, cacheOptions } from '../src/config/cache-folder.js';
import { defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { ExitCode } from '../src/errors.js';
import { connectionOptions } from '../src/stream/client/connection.js';
import { diagnose, isHealthy } from './doctor/diagnose.js';
import { examine } from './doctor/examine.js';
import { formatFindings } from './doctor/format.js';

// Without brokers of one's own there is no cluster to look at: the default of other programs is no help here.
const { default: _default, ...brokers } = connectionOptions.brokers;

/** `millrace doctor` */
export const doctor = defineProgram({
  name: 'doctor',
  summary: 'Say what was found on this machine, what is missing, and what mends it',
  description:
    'Looks at the tools, the cache, TensorFlow, the embedded broker and, if they are configured, your own brokers. ' +
    'Ends with 0 if everything that is needed is there, else with 1.',
  options: defineOptions({
    json: { type: 'boolean', default: false, description: 'Print the findings as JSON' },
    ...cacheOptions,
    ...connectionOptions,
    brokers,
  }),
  examples: ['millrace doctor', 'MILLRACE_BROKERS=broker.example:9092 millrace doctor --json'],
  async run(options, _args, { logger, stdout }) {
    const cluster = options.brokers === undefined ? undefined : { ...options, brokers: options.brokers };
    const findings = diagnose(await examine(cacheFolder(options.cache), cluster, logger));
    const healthy = isHealthy(findings);
    stdout.write(
      options.json
        ? `${JSON.stringify({ healthy, findings }, undefined, 2)}\n`
        : formatFindings(findings, stdout.isTTY === true && stdout.hasColors()),
    );
    return healthy ? 0 : ExitCode.failed;
  },
});
