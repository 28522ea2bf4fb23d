import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import { MillraceError, type ErrorCode } from '../errors.js';

/** The body of every answer that is not a success. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The HTTP status of the errors that a client can do something about; all others are 500. */
const statusByCode: Partial<Record<ErrorCode, number>> = {
  MILLRACE_REQUEST_INVALID: 400,
  MILLRACE_REQUEST_UNAUTHORIZED: 401,
  MILLRACE_ROUTE_UNKNOWN: 404,
  MILLRACE_REQUEST_TOO_LARGE: 413,
  MILLRACE_REQUEST_LIMITED: 429,
  MILLRACE_NOT_READY: 503,
  MILLRACE_REQUEST_TIMEOUT: 503,
};

interface HttpFailure extends ErrorBody {
  readonly status: number;
}

/** What a client is told about anything that was thrown: never a stack, a path or the message of an unforeseen fault. */
export function describeFailure(error: unknown, requestId: string): HttpFailure {
  if (error instanceof MillraceError) {
    const status = statusByCode[error.code];
    if (status !== undefined) return { status, code: error.code, message: error.message };
    return { status: 500, code: error.code, message: lookInTheLog(requestId) };
  }
  const { statusCode = 500, validation, message, code } = error as Partial<FastifyError>;
  // The framework would repeat the path, which may hold what nobody else is to see.
  if (code === 'FST_ERR_BAD_URL') {
    return {
      status: 400,
      code: 'MILLRACE_REQUEST_INVALID',
      message: 'The path of the request is malformed.',
    };
  }
  if (validation?.some(({ keyword }) => keyword === 'maxItems')) {
    return { status: 413, code: 'MILLRACE_REQUEST_TOO_LARGE', message: sentence(message) };
  }
  if (statusCode < 400 || statusCode >= 500) {
    return { status: 500, code: 'MILLRACE_INTERNAL', message: lookInTheLog(requestId) };
  }
  return { status: statusCode, code: codeOfStatus(statusCode), message: sentence(message) };
}

/** The methods of each route by its path. */
export type RouteMethods = ReadonlyMap<string, ReadonlySet<string>>;

/** Writes down the methods of the routes that are added from now on. */
export function recordRouteMethods(app: FastifyInstance): RouteMethods {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ method, url }) => {
    const methods = methodsOf.get(url) ?? new Set();
    methodsOf.set(url, methods);
    for (const each of [method].flat()) methods.add(each);
  });
  return methodsOf;
}

/** Answers 404, or 405 with the methods that the route does take. Guessing counts towards the rate limit. */
export function addNotFoundHandler(app: FastifyInstance, methodsOf: RouteMethods): void {
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) =>
    answerNotFound(request, reply, methodsOf),
  );
}

function answerNotFound(request: FastifyRequest, reply: FastifyReply, methodsOf: RouteMethods): FastifyReply {
  const [path] = request.url.split('?', 1);
  const allowed = ['GET', 'POST'].filter((method) => methodsOf.get(path)?.has(method));
  if (allowed.length === 0) {
    throw new MillraceError('MILLRACE_ROUTE_UNKNOWN', 'There is no such route; /docs lists them.');
  }
  const body: ErrorBody = {
    code: 'MILLRACE_REQUEST_INVALID',
    message: `This route takes ${allowed.join(', ')} only.`,
  };
  return reply.code(405).header('allow', allowed.join(', ')).send(body);
}

/** Answers a request that failed, and logs what is not the client's doing. */
export function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, code, message } = describeFailure(error, request.id);
  if (status >= 500 && code !== 'MILLRACE_NOT_READY') {
    request.log.error({ err: error, requestId: request.id }, 'request failed');
  }
  // The rest of a body that was refused is not waited for: the connection ends with the answer.
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (!request.raw.complete && (length !== '0' || encoding !== undefined))
    void reply.header('connection', 'close');
  void reply
    .code(status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({ code, message });
}

interface SocketFailure {
  readonly status: string;
  readonly body: ErrorBody;
}

const socketFailures = new Map<string | undefined, SocketFailure>([
  [
    'HPE_HEADER_OVERFLOW',
    {
      status: '431 Request Header Fields Too Large',
      body: { code: 'MILLRACE_REQUEST_TOO_LARGE', message: 'The headers of the request are too large.' },
    },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    {
      status: '408 Request Timeout',
      body: { code: 'MILLRACE_REQUEST_TIMEOUT', message: 'The request was not received in time.' },
    },
  ],
]);

const notHttp: SocketFailure = {
  status: '400 Bad Request',
  body: { code: 'MILLRACE_REQUEST_INVALID', message: 'This is not an HTTP request.' },
};

/** Answers what is not HTTP, too slow, or has headers that are too large; there is no request yet, only a socket. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // Without a TLS handshake there is no way to say anything.
  const isUnheard = /^(ECONNRESET|EPROTO|ERR_SSL_|ERR_TLS_)/.test(error.code ?? '');
  if (isUnheard || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = socketFailures.get(error.code) ?? notHttp;
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  );
}

function codeOfStatus(status: number): ErrorCode {
  const known = Object.entries(statusByCode).find(([, each]) => each === status);
  return (known?.[0] as ErrorCode | undefined) ?? 'MILLRACE_REQUEST_INVALID';
}

function lookInTheLog(requestId: string): string {
  return `The request failed; the log of the server says why, under request ${requestId}.`;
}

/** Messages of the framework as sentences: `body/rows must be array` -> `body/rows must be array.` */
function sentence(message = 'The request cannot be answered'): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
