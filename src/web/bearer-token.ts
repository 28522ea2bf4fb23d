import type { onRequestHookHandler } from 'fastify';
import { secretCheck } from '../config/secret-check.js';
import { MillraceError } from '../errors.js';

/** What a route asks of its callers, and how its documentation says so. */
export interface RouteGuard {
  readonly onRequest: readonly onRequestHookHandler[];
  /** OpenAPI's security requirements; the names are those of `securitySchemes` in documentation.ts. */
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

/** For routes that answer to anybody. */
export const unguarded: RouteGuard = { onRequest: [] };

/**
 * A hook that lets a request pass only with `Authorization: Bearer TOKEN` (RFC 6750).
 */
export function requireToken(token: string): onRequestHookHandler {
  const isToken = secretCheck(token);
  return (request, reply, done) => {
    const given = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (isToken(given)) {
      done();
      return;
    }
    void reply.header('www-authenticate', 'Bearer realm="millrace"');
    done(
      new MillraceError(
        'MILLRACE_REQUEST_UNAUTHORIZED',
        'Send the token of this server as "Authorization: Bearer TOKEN".',
      ),
    );
  };
}
