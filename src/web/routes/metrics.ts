import type { FastifyInstance, onRequestHookHandler } from 'fastify';

/** Metrics in the text format that Prometheus scrapes. */
export type RenderMetrics = () => Promise<{ readonly contentType: string; readonly body: string }>;

/** `/metrics`, for Prometheus. */
export function addMetricsRoute(
  app: FastifyInstance,
  render: RenderMetrics,
  guards: readonly onRequestHookHandler[],
): void {
  app.get(
    '/metrics',
    {
      onRequest: [...guards],
      schema: {
        tags: ['metrics'],
        summary: 'Metrics for Prometheus',
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
