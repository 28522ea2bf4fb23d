import rateLimit from '@fastify/rate-limit';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
} from 'fastify';
import type { ModelPredictor } from '../model/predictor.js';
import type { HealthReport } from '../telemetry/health.js';
import type { Logger } from '../telemetry/logger.js';
import { requireToken, unguarded, type RouteGuard } from './bearer-token.js';
import { addDocumentation } from './documentation.js';
import { addNotFoundHandler, answerClientError, recordRouteMethods, sendFailure } from './http-errors.js';
import { addHealthRoutes } from './routes/health.js';
import { addMetricsRoute, type RenderMetrics } from './routes/metrics.js';
import { addModelRoute, type ModelInfo } from './routes/model.js';
import { addPredictRoute } from './routes/predict.js';
import { addJsonBody } from './json-body.js';
import { limitAnswerTime, limitBodies } from './load-limits.js';
import { addSecurityHeaders, securityHeaders } from './security-headers.js';
import type { WebTls } from './tls.js';

/** What one client may ask of the server. */
export interface WebLimits {
  /** Rows of one request to /predict. */
  readonly maxRows: number;
  /** Bytes of one request's body. */
  readonly maxBodyBytes: number;
  /** For receiving a request, and again for answering it. */
  readonly requestTimeoutMs: number;
  /** Per client address, on all routes but health; 0 is no limit. */
  readonly maxRequestsPerMinute: number;
}

export interface AppParts {
  readonly health: () => HealthReport;
  readonly metrics: RenderMetrics;
  /** Undefined while no model is loaded; without it there is no /predict. */
  readonly predictor?: () => ModelPredictor | undefined;
  /** Undefined while no model is loaded; without it there is no /model. */
  readonly modelInfo?: () => ModelInfo | undefined;
  /** When given, /predict, /model and /metrics answer only to those who send it. */
  readonly token?: string;
  /** When given, the server speaks HTTPS and nothing else. */
  readonly tls?: WebTls;
  readonly limits: WebLimits;
  readonly logger: Logger;
}

/** Bytes of the headers of one request, its path among them; connections at a time; how long an idle one is kept. */
const maxHeaderBytes = 16_384;
const maxConnections = 512;
const keepAliveTimeoutMs = 65_000;
/** For a TLS handshake, and for the headers of a request. */
const maxHeadersMs = 10_000;

/** The HTTP application: routes, limits and the form of errors. It never listens; `listen` of server.ts does. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { limits } = parts;
  const logger: FastifyBaseLogger = parts.logger.child({ module: 'web' });
  const http = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: Math.min(maxHeadersMs, limits.requestTimeoutMs),
    connectionsCheckingInterval: 1000,
  };
  const options = {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    routerOptions: { maxParamLength: 100 },
    // A row is taken as it is: no value changes its type and no field is dropped.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    clientErrorHandler: answerClientError,
    // These come before any hook, from URLs that cannot be decoded.
    frameworkErrors: (error, request, reply) => sendFailure(error, request, reply.headers(securityHeaders)),
  } satisfies FastifyServerOptions;
  const app: FastifyInstance =
    parts.tls === undefined
      ? fastify({ ...options, http })
      : // An HTTPS server is used as an HTTP server is; only its type is another one.
        fastify({
          ...options,
          https: { ...http, ...parts.tls, handshakeTimeout: http.headersTimeout },
        });
  app.server.maxConnections = maxConnections;
  app.removeAllContentTypeParsers();
  addJsonBody(app, limits.maxRows);
  app.setErrorHandler(sendFailure);
  addSecurityHeaders(app);
  logRequests(app);
  limitAnswerTime(app, limits.requestTimeoutMs);
  limitBodies(app, limits.maxBodyBytes);
  const methodsOf = recordRouteMethods(app);
  void app.register(rateLimit, {
    max: limits.maxRequestsPerMinute === 0 ? Number.MAX_SAFE_INTEGER : limits.maxRequestsPerMinute,
    timeWindow: 60_000,
  });
  addDocumentation(app, parts.token !== undefined);
  void app.register((routes, _options, done) => {
    addRoutes(routes, parts);
    done();
  });
  app.after(() => addNotFoundHandler(app, methodsOf));
  return app;
}

function addRoutes(app: FastifyInstance, parts: AppParts): void {
  // The rate limit comes before the token, so that guesses count.
  const guard: RouteGuard =
    parts.token === undefined
      ? unguarded
      : { onRequest: [app.rateLimit(), requireToken(parts.token)], security: [{ token: [] }] };
  addHealthRoutes(app, parts.health);
  addMetricsRoute(app, parts.metrics, guard);
  if (parts.modelInfo !== undefined) addModelRoute(app, parts.modelInfo, guard);
  if (parts.predictor !== undefined) {
    const { maxRows, requestTimeoutMs } = parts.limits;
    addPredictRoute(app, { predictor: parts.predictor, maxRows, timeoutMs: requestTimeoutMs, guard });
  }
}

/** One line per request at level debug; never a body, a query or a header. */
function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    request.log.debug(
      {
        method,
        route: routeOptions.url,
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 1000) / 1000,
        client: request.ip,
      },
      'request',
    );
    done();
  });
}
