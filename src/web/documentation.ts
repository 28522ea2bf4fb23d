import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { version } from '../config/version.js';

/** The pages load their own files only, and work without a network. */
const pagePolicy =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** OpenAPI of all routes that are added after it: pages at `/docs`, the document at `/docs/json`. They need no token. */
export function addDocumentation(app: FastifyInstance, hasToken: boolean): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Millrace',
        description: 'Predictions, health and metrics of one Millrace process.',
        version,
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      ...(hasToken && { components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } } }),
    },
  });
  void app.register(swaggerUi, {
    routePrefix: '/docs',
    // null keeps the page from asking validator.swagger.io about the document.
    uiConfig: { validatorUrl: null },
    staticCSP: pagePolicy,
    logLevel: 'warn',
  });
}
