import type { FastifyInstance } from 'fastify';
import type { RouteGuard } from '../bearer-token.js';

/** Metrics in the text format that Prometheus scrapes. */
export type RenderMetrics = () => Promise<{ readonly contentType: string; readonly body: string }>;

/** `/metrics`, for Prometheus. */
export function addMetricsRoute(app: FastifyInstance, render: RenderMetrics, guard: RouteGuard): void {
  app.get(
    '/metrics',
    {
      onRequest: [...guard.onRequest],
      schema: {
        tags: ['metrics'],
        summary: 'Metrics for Prometheus',
        security: guard.security,
        produces: ['text/plain'],
        response: { 200: { type: 'string', description: 'Prometheus text format' } },
      },
    },
    async (_request, reply) => {
      const { contentType, body } = await render();
      return reply.type(contentType).send(body);
    },
  );
}
