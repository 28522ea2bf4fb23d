import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { RowFault } from '../../src/features/row-faults.js';
import type { Observation } from '../../src/record/observation.js';
import type { HealthReport } from '../../src/telemetry/health.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { buildApp, type AppParts, type WebLimits } from '../../src/web/app.js';
import type { PredictionValue, RowPredictor } from '../../src/web/row-predictor.js';
import { listen } from '../../src/web/server.js';

export const running: HealthReport = { live: true, ready: true, state: 'running', reasons: [] };

export const limits: WebLimits = {
  maxRows: 100,
  maxBodyBytes: 100_000,
  requestTimeoutMs: 5000,
  maxRequestsPerMinute: 0,
};

/** Answers with the sum of the fields x and y; a row where they are no numbers is a fault. */
export const addingPredictor: RowPredictor = {
  predict: (observations: readonly Observation[]) =>
    Promise.resolve(
      observations.map(({ x, y, id = null }): PredictionValue | RowFault =>
        typeof x === 'number' && typeof y === 'number'
          ? {
              id,
              prediction: [x + y],
              predicted_index: 0,
              predicted_label: 'sum',
              model: 'adder',
              model_version: 1,
            }
          : new RowFault('MILLRACE_ROW_COLUMN_MISSING', 'The row needs the numbers x and y.'),
      ),
    ),
};

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
    predictor: () => addingPredictor,
    modelInfo: () => ({
      name: 'adder',
      version: 1,
      schema: {
        name: 'pairs',
        fields: [
          { name: 'x', type: 'float' },
          { name: 'y', type: 'float' },
        ],
        features: ['x', 'y'],
      },
      vocabulary: ['sum'],
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
