import { cacheFolder } from '../src/config/cache-folder.js';
import { defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { nativeTensorFlowFolder } from '../src/tensorflow/native-location.js';
import { computeOptions } from '../src/tensorflow/compute-options.js';
import { prepareEngine } from './embedded-broker/broker-engine.js';
import { prepareBackend } from './native-tensorflow/prepare.js';

const { backend, cache } = computeOptions;

/** `millrace setup` */
export const setup = defineProgram({
  name: 'setup',
  summary: 'Download and build what is needed once: native TensorFlow, the embedded broker',
  description:
    'Downloads and builds native TensorFlow (Linux x64; about 0.7 GB) into the cache, checks it, and does nothing the ' +
    'next time. What is interrupted is begun again where it must be; several at once end with one build.',
  options: defineOptions({
    backend,
    broker: {
      type: 'boolean',
      default: false,
      description: 'Fetch Apache Kafka for the embedded broker too',
    },
    cache,
  }),
  examples: ['millrace setup', 'millrace setup --broker', 'MILLRACE_CACHE=/srv/millrace millrace setup'],
  async run(options, _args, { stderr, stdout }) {
    const folder = cacheFolder(options.cache);
    const prepared = await prepareBackend(options.backend, folder, stderr);
    stdout.write(
      prepared === 'native'
        ? `Native TensorFlow is ready in ${nativeTensorFlowFolder(folder)}\n`
        : 'WebAssembly is ready; it needs no set-up\n',
    );
    if (options.broker) {
      await prepareEngine(folder, stderr);
      stdout.write('The embedded broker is ready\n');
    }
    return 0;
  },
});
