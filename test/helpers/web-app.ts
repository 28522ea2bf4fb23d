import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Pipeline } from '../../src/features/pipeline.js';
import { schemaColumns } from '../../src/features/row-reader.js';
import { LabelIndexTransformer } from '../../src/features/transformers/label-index.js';
import type { Model } from '../../src/model/model.js';
import { ModelPredictor } from '../../src/model/predictor.js';
import type { Schema } from '../../src/record/schema.js';
import type { HealthReport } from '../../src/telemetry/health.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { buildApp, type AppParts, type WebLimits } from '../../src/web/app.js';
import { listen } from '../../src/web/server.js';

export const running: HealthReport = { live: true, ready: true, state: 'running', reasons: [] };

export const limits: WebLimits = {
  maxRows: 100,
  maxBodyBytes: 100_000,
  requestTimeoutMs: 5000,
  maxRequestsPerMinute: 0,
};

const schema: Schema = {
  name: 'pairs',
  fields: [
    { name: 'id', type: 'long', nullable: true },
    { name: 'x', type: 'float' },
    { name: 'y', type: 'float' },
  ],
  key: 'id',
  features: ['x', 'y'],
};

/** The sum of x and y, and their difference, as two classes; computed as `predictMany` is told, or at once. */
export function pairPredictor(compute?: () => Promise<Float32Array>): ModelPredictor {
  const model: Model = {
    numFeatures: 2,
    inputShape: [2],
    numOutputs: 2,
    predictMany: (features, numRows) =>
      compute?.() ??
      Promise.resolve(
        Float32Array.from({ length: numRows * 2 }, (_, i) =>
          i % 2 === 0 ? features[i] + features[i + 1] : features[i - 1] - features[i],
        ),
      ),
    close: () => Promise.resolve(),
  };
  return new ModelPredictor({
    schema,
    pipeline: new Pipeline([], schemaColumns(schema)),
    target: {
      kind: 'classification',
      vocabulary: ['sum', 'difference'],
      labelIndex: new LabelIndexTransformer({}).toJSON(),
    },
    model,
    name: 'pairs',
    version: 3,
  });
}

/** The lines that an application logged. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function testApp(parts: Partial<Omit<AppParts, 'limits'>> & { limits?: Partial<WebLimits> } = {}) {
  const log: LogLine[] = [];
  const app = buildApp({
    health: () => running,
    metrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'rows_total 1\n' }),
    predictor: () => pairPredictor(),
    modelInfo: () => ({
      name: 'pairs',
      version: 3,
      schema,
      vocabulary: ['sum', 'difference'],
      fingerprint: 'ab'.repeat(32),
      backend: 'wasm',
    }),
    logger: createLogger({
      name: 'test',
      level: 'debug',
      destination: { write: (line) => void log.push(JSON.parse(line) as LogLine) },
    }),
    ...parts,
    limits: { ...limits, ...parts.limits },
  });
  return { app, log };
}

/** An application that listens at a free port until the test has ended. */
export async function testServer(t: TestContext, parts: Parameters<typeof testApp>[0] = {}) {
  const { app, log } = testApp(parts);
  const server = await listen(app, { host: '127.0.0.1', port: 0, closeTimeoutMs: 200 });
  t.after(() => server.close());
  return { ...server, app, log, port: (app.server.address() as AddressInfo).port };
}

/** Posts rows, or any body and headers. */
export function postPredict(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
