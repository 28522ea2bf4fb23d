import { defineOptions } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { openBundle, readBundle } from '../src/model/bundle.js';
import { describeBundle } from '../src/model/describe-bundle.js';
import { computeOptions } from '../src/tensorflow/compute-options.js';
import { startCompute } from '../src/tensorflow/compute.js';

const bundleArgument = [{ name: '<bundle>', description: 'Folder of the model bundle' }];

/** Shows what is in a bundle. */
export const modelInspect = defineProgram({
  name: 'model inspect',
  summary: 'Show what is in a model bundle',
  description: 'Checks the files of a bundle and shows what they hold. The model itself is not run.',
  arguments: bundleArgument,
  options: defineOptions({
    json: { type: 'boolean', default: false, description: 'Print all but the weights as JSON' },
  }),
  async run({ json }, [folder], { stdout }) {
    const bundle = await readBundle(folder);
    stdout.write(`${json ? JSON.stringify(withoutWeights(bundle), undefined, 2) : describeBundle(bundle)}\n`);
    return 0;
  },
});

/** Runs the golden rows of a bundle. */
export const modelVerify = defineProgram({
  name: 'model verify',
  summary: 'Check a model bundle and run its golden rows',
  description:
    'Does what every program does before it uses a bundle: checks all files, then compares the answers.',
  arguments: bundleArgument,
  options: computeOptions,
  async run(options, [folder], { stdout, logger }) {
    const compute = await startCompute({ ...options, logger });
    try {
      const { name, version, fingerprint } = await openBundle(folder, (artifact) =>
        compute.openModel(artifact),
      );
      stdout.write(
        `${name} version ${version} answers as it did when it was saved (${compute.backend}); fingerprint ${fingerprint}\n`,
      );
      return 0;
    } finally {
      await compute.close();
    }
  },
});

function withoutWeights(bundle: Awaited<ReturnType<typeof readBundle>>): object {
  const { artifact, ...others } = bundle;
  if (artifact.format === 'saved-model') return bundle;
  return { ...others, artifact: { ...artifact, weights: artifact.weights.specs } };
}
