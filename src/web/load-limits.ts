import type { FastifyInstance } from 'fastify';
import { MillraceError } from '../errors.js';

/** Bodies of the largest size that are received and worked on at the same time; what they hold is bounded with it. */
const maxFullBodies = 16;

/**
 * Cuts off clients that do not read their answers, or too slowly: from its first byte on, an answer may take this long.
 * What a connection that is stuck holds would otherwise be held until the client goes away.
 */
export function limitAnswerTime(app: FastifyInstance, timeoutMs: number): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    const cutOff = setTimeout(() => {
      request.log.debug({ client: request.ip }, 'a client did not read its answer');
      request.raw.socket.destroy();
    }, timeoutMs);
    reply.raw.once('close', () => clearTimeout(cutOff));
    done();
  });
}

/**
 * Bounds the bytes of all bodies together. A request whose body would not fit any more is told to come back; one that
 * does not say how long its body is counts as the largest.
 */
export function limitBodies(app: FastifyInstance, maxBodyBytes: number): void {
  const maxBytes = maxFullBodies * maxBodyBytes;
  let numBytes = 0;
  app.addHook('onRequest', (request, reply, done) => {
    const {
      'content-length': length,
      'content-encoding': encoding,
      'transfer-encoding': transfer,
    } = request.headers;
    if (encoding !== undefined && encoding !== 'identity') {
      void reply.header('accept-encoding', 'identity');
      done(new UnsupportedEncodingError());
      return;
    }
    const size = transfer === undefined ? Math.min(Number(length ?? 0), maxBodyBytes) : maxBodyBytes;
    if (numBytes + size > maxBytes) {
      void reply.header('retry-after', '1');
      done(new MillraceError('MILLRACE_REQUEST_LIMITED', 'Too many requests are under way; try again.'));
      return;
    }
    numBytes += size;
    reply.raw.once('close', () => (numBytes -= size));
    done();
  });
}

/** Thrown for a body that is compressed: unpacked, it might have any size. */
class UnsupportedEncodingError extends Error {
  readonly statusCode = 415;

  constructor() {
    super('Send the body as it is: this server takes no content-encoding.');
  }
}
