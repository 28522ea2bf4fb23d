import { defineOptions, required } from '../src/config/options.js';
import { defineProgram } from '../src/config/program.js';
import { version } from '../src/config/version.js';
import { openBundle, type OpenBundle } from '../src/model/bundle.js';
import { codecOptions, openSchemaStore } from '../src/record/codecs.js';
import { MicroBatcher } from '../src/serving/micro-batcher.js';
import { openServingMember, type ServingMember } from '../src/serving/serving-member.js';
import { servingOptions } from '../src/serving/serving-options.js';
import { connect, connectionOptions } from '../src/stream/client/connection.js';
import { gapPolicies } from '../src/stream/source/gap.js';
import { offsetResets } from '../src/stream/source/start-position.js';
import { computeOptions } from '../src/tensorflow/compute-options.js';
import { startCompute, type Compute } from '../src/tensorflow/compute.js';
import { Health } from '../src/telemetry/health.js';
import { killProcess } from '../src/telemetry/shutdown.js';
import { ServingMetrics } from '../src/telemetry/metrics.js';
import { buildApp } from '../src/web/app.js';
import type { ModelInfo } from '../src/web/routes/model.js';
import { exposure, listen, webLimits, webOptions } from '../src/web/server.js';
import { webTls } from '../src/web/tls.js';

const [stream, model] = ['Stream', 'Model'];

const serveOptions = defineOptions({
  model: {
    type: 'string',
    placeholder: 'BUNDLE',
    description: 'Folder of the model bundle, as `millrace fit` writes it',
    section: model,
  },
  topic: {
    type: 'string',
    default: 'observations',
    description: 'Topic that the rows are read from; what cannot be used goes to TOPIC.dlq',
    section: stream,
  },
  output: {
    type: 'string',
    default: 'predictions',
    description: 'Topic that the predictions are written to',
    section: stream,
  },
  group: {
    type: 'string',
    default: 'millrace-serve',
    description: 'Consumer group; its members share the partitions of the topic',
    section: stream,
  },
  offsetReset: {
    type: 'string',
    choices: offsetResets,
    default: 'earliest',
    description: 'Where a group begins that has committed nothing',
    section: stream,
  },
  onGap: {
    type: 'string',
    choices: gapPolicies,
    default: 'earliest',
    description: 'Where it goes on when what follows its position has expired, or the topic was made anew',
    section: stream,
  },
  ...codecOptions,
  ...servingOptions,
  ...computeOptions,
  ...webOptions,
  ...connectionOptions,
});

/** `millrace serve`: one serving member. */
export const serve = defineProgram({
  name: 'serve',
  summary: 'Predict the rows of a topic, as a member of a consumer group',
  description: `Reads rows from a topic, prepares them as the model was trained with, predicts, and writes predictions.
Start it several times with the same --group, and the members share the partitions.

A row that cannot be used is written to TOPIC.dlq with the reason in its headers, and costs its neighbours nothing.
Each row is answered exactly once, whatever process or broker dies, for readers with isolation.level=read_committed (the
Java client wants to be told). With --delivery at-least-once, rows may be answered again after a crash or a rebalance.
SIGTERM finishes what is in flight, commits it and leaves the group.`,
  options: serveOptions,
  examples: [
    'millrace serve --model models/higgs --topic observations --output predictions --group scoring',
    'millrace serve --model models/higgs --emit label=s --output triggers   # forward signal only',
    'MILLRACE_SASL_PASSWORD_FILE=/run/secrets/kafka millrace serve --config serve.yaml',
  ],
  async run(options, _arguments, { shutdown, logger }) {
    const folder = required<typeof serveOptions, 'model'>(options, 'model');
    const client = connect(options, logger);
    const schemas = openSchemaStore(options);
    const health = new Health();
    let compute: Compute | undefined;
    let bundle: OpenBundle | undefined;
    let member: ServingMember | undefined;
    const metrics = new ServingMetrics(version, {
      inFlight: () => member?.loop.inFlight() ?? { rows: 0, bytes: 0 },
      tensors: () => compute?.memory() ?? Promise.resolve({ numTensors: 0, numBytes: 0 }),
    });

    // HTTP comes first, so that whoever watches the process sees it start.
    const app = buildApp({
      health: () => health.report(),
      metrics: () => metrics.render(),
      predictor: () => bundle?.predictor,
      modelInfo: () => bundle && modelInfo(bundle, compute!.backend),
      token: options.httpToken,
      tls: webTls(options),
      limits: webLimits(options),
      logger,
    });
    const server = await listen(app, options);
    const warning = exposure(options);
    if (warning !== undefined) logger.warn({ host: options.host }, warning);
    try {
      compute = await startCompute({ ...options, logger });
      const { maxBatchRows, maxWaitMs } = options;
      bundle = await openBundle(folder, async (artifact) => {
        const onBatch = (numRows: number, seconds: number) => {
          metrics.batch(numRows);
          metrics.stage('predict', seconds);
        };
        return new MicroBatcher(await compute!.openModel(artifact), { maxBatchRows, maxWaitMs, onBatch });
      });
      metrics.serves(bundle.name, bundle.version, compute.backend);
      member = await openServingMember({
        client,
        bundle,
        schemas,
        route: options,
        options,
        metrics,
        health,
        logger,
      });
      const { loop } = member;
      void compute.died.then((error) => loop.fail(error));
      logger.info(
        {
          model: bundle.name,
          modelVersion: bundle.version,
          backend: compute.backend,
          topic: options.topic,
          output: options.output,
          group: options.group,
          brokers: options.brokers,
          http: server.url,
        },
        'serving',
      );
      const summary = await loop.run(shutdown);
      logger.info({ ...summary }, 'served');
      return 0;
    } catch (error) {
      health.enter('failed');
      // Whatever has failed, what the model still computes is of no use, and may be what never ends.
      if ((await compute?.abandon()) === false) killProcess(error);
      throw error;
    } finally {
      await member?.close();
      await server.close();
      await bundle?.model.close();
      await compute?.close();
    }
  },
});

function modelInfo({ name, version, schema, target, fingerprint }: OpenBundle, backend: string): ModelInfo {
  return {
    name,
    version,
    schema,
    ...(target.kind === 'classification' && { vocabulary: target.vocabulary }),
    fingerprint,
    backend,
  };
}
