import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../../errors.js';
import type { Schema } from '../../record/schema.js';
import type { RouteGuard } from '../bearer-token.js';
import { errorSchema } from '../schemas.js';

/** What a client may know of the model that answers now. */
export interface ModelInfo {
  readonly name: string;
  readonly version: number;
  /** The fields of a row; the features among them are needed, the label is not. */
  readonly schema: Schema;
  /** The label of each class index; absent when the model predicts numbers. */
  readonly vocabulary?: readonly string[];
  /** SHA-256 of the manifest of the bundle, in hex: which bundle it is, to the bit. */
  readonly fingerprint: string;
  /** What computes: `native` or `wasm`. */
  readonly backend: string;
}

const modelSchema = {
  type: 'object',
  required: ['name', 'version', 'schema', 'fingerprint', 'backend'],
  properties: {
    name: { type: 'string' },
    version: { type: 'integer' },
    schema: {
      type: 'object',
      additionalProperties: true,
      description: 'Fields, key, label and features of a row, the features in the order of the columns',
    },
    vocabulary: { type: 'array', items: { type: 'string' }, description: 'The label of each class index' },
    fingerprint: { type: 'string', description: 'SHA-256 of the manifest of the bundle, in hex' },
    backend: { type: 'string', description: 'What computes: native or wasm' },
  },
};

/** `/model`: what answers now. */
export function addModelRoute(
  app: FastifyInstance,
  modelInfo: () => ModelInfo | undefined,
  guard: RouteGuard,
): void {
  app.get(
    '/model',
    {
      onRequest: [...guard.onRequest],
      schema: {
        tags: ['model'],
        summary: 'The model that answers now',
        security: guard.security,
        response: { 200: modelSchema, '4xx': errorSchema, '5xx': errorSchema },
      },
    },
    () => {
      const info = modelInfo();
      if (info === undefined)
        throw new MillraceError('MILLRACE_NOT_READY', 'No model is loaded yet; try again.');
      return info;
    },
  );
}
