import type { FastifyInstance } from 'fastify';
import type { HealthReport } from '../../telemetry/health.js';

const reportSchema = {
  type: 'object',
  required: ['live', 'ready', 'state', 'reasons'],
  properties: {
    live: { type: 'boolean', description: 'False only when nothing but a restart helps' },
    ready: { type: 'boolean', description: 'Whether the process does its work now' },
    state: { type: 'string', enum: ['starting', 'running', 'draining', 'stopped', 'failed'] },
    reasons: { type: 'array', items: { type: 'string' }, description: 'Why it is not ready' },
  },
};

/** `/health/live` and `/health/ready`: 200 or 503 with the whole report. They need no token and have no rate limit. */
export function addHealthRoutes(app: FastifyInstance, health: () => HealthReport): void {
  for (const [path, aspect, summary] of [
    ['/health/live', 'live', 'Whether the process is alive; if not, restart it'],
    ['/health/ready', 'ready', 'Whether the process does its work now'],
  ] as const) {
    app.get(
      path,
      {
        config: { rateLimit: false },
        schema: { tags: ['health'], summary, response: { 200: reportSchema, 503: reportSchema } },
      },
      (_request, reply) => {
        const report = health();
        return reply.code(report[aspect] ? 200 : 503).send(report);
      },
    );
  }
}
