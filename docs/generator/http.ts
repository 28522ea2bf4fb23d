import { createLogger } from '../../src/telemetry/logger.js';
import { buildApp } from '../../src/web/app.js';
import { table } from './markdown.js';

interface OpenApi {
  readonly paths: Record<string, Record<string, { readonly summary: string; readonly responses: object }>>;
}

/** The routes, out of the OpenAPI document that the application itself answers. */
export async function httpReference(): Promise<string> {
  const app = buildApp({
    health: () => ({ live: true, ready: true, state: 'running', reasons: [] }),
    metrics: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
    predictor: () => undefined,
    modelInfo: () => undefined,
    limits: { maxRows: 1, maxBodyBytes: 1024, requestTimeoutMs: 1000, maxRequestsPerMinute: 0 },
    logger: createLogger({ name: 'documentation', level: 'silent' }),
  });
  const { paths } = (await app.inject('/docs/json')).json<OpenApi>();
  await app.close();
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, responses }]) => [
      `\`${method.toUpperCase()} ${path}\``,
      summary,
      Object.keys(responses)
        .map((status) => status.toLowerCase())
        .join(', '),
    ]),
  );
  return table(['Route', 'What it answers', 'Status'], rows);
}
