import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../../errors.js';
import type { ModelPredictor } from '../../model/predictor.js';
import type { RouteGuard } from '../bearer-token.js';
import { predictRows } from '../predict-rows.js';
import { errorSchema } from '../schemas.js';

const resultSchema = {
  type: 'object',
  description: 'Either the value that a serving member writes for such a row, or why the row cannot be used',
  properties: {
    // Without properties of its own, so that it is written as it is, in the order that the topic has.
    value: {
      type: 'object',
      additionalProperties: true,
      description:
        'The key column, when there is one; prediction (numbers); for classification predicted_index and ' +
        'predicted_label; model and model_version',
      examples: [
        {
          prediction: [0.12, 0.88],
          predicted_index: 1,
          predicted_label: 's',
          model: 'higgs',
          model_version: 1,
        },
      ],
    },
    error: errorSchema,
  },
};

function bodySchema(maxRows: number) {
  return {
    type: 'object',
    required: ['rows'],
    additionalProperties: false,
    properties: {
      rows: {
        type: 'array',
        minItems: 1,
        maxItems: maxRows,
        description: 'Rows as objects of fields by name; GET /model tells which fields',
        items: { type: 'object' },
      },
    },
  };
}

/** `POST /predict`: rows in, one result per row out, through the same predictor as the stream. */
export function addPredictRoute(
  app: FastifyInstance,
  options: {
    predictor: () => ModelPredictor | undefined;
    maxRows: number;
    timeoutMs: number;
    guard: RouteGuard;
  },
): void {
  app.post<{ Body: { rows: Record<string, unknown>[] } }>(
    '/predict',
    {
      onRequest: [...options.guard.onRequest],
      schema: {
        tags: ['model'],
        summary: 'Predict rows',
        security: options.guard.security,
        body: bodySchema(options.maxRows),
        response: {
          200: {
            type: 'object',
            required: ['results'],
            properties: {
              results: { type: 'array', description: 'One per row, in their order', items: resultSchema },
            },
          },
          '4xx': errorSchema,
          '5xx': errorSchema,
        },
      },
    },
    async (request) => {
      const predictor = options.predictor();
      if (predictor === undefined) {
        throw new MillraceError('MILLRACE_NOT_READY', 'No model is loaded yet; try again.');
      }
      return { results: await within(options.timeoutMs, predictRows(predictor, request.body.rows)) };
    },
  );
}

/** Gives up waiting, though not computing, when the time has passed. Throws MILLRACE_REQUEST_TIMEOUT. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new MillraceError('MILLRACE_REQUEST_TIMEOUT', 'The prediction took too long; try again.'));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
