import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { defineOptions, type Compiled } from '../config/options.js';
import { MillraceError, messageOf } from '../errors.js';
import type { WebLimits } from './app.js';
import { webTlsOptions } from './tls.js';

const section = 'HTTP';

/** Options of every program that answers HTTP. */
export const webOptions = defineOptions({
  host: {
    type: 'string',
    default: '127.0.0.1',
    description: 'Address that health, metrics and predictions answer at; 0.0.0.0 is all of them',
    section,
  },
  port: {
    type: 'integer',
    default: 8080,
    min: 0,
    max: 65_535,
    description: 'Port that health, metrics and predictions answer at; 0 is any free one',
    section,
  },
  httpToken: {
    type: 'string',
    secret: true,
    description: 'Bearer token that /predict, /model and /metrics ask for; health and /docs never do',
    section,
  },
  ...webTlsOptions,
  httpMaxRows: {
    type: 'integer',
    default: 1000,
    min: 1,
    max: 1_000_000,
    description: 'Most rows of one request to /predict',
    section,
  },
  httpMaxBytes: {
    type: 'integer',
    default: 8_388_608,
    min: 1024,
    max: 1_073_741_824,
    description: 'Most bytes of the body of one request',
    section,
  },
  httpTimeoutMs: {
    type: 'integer',
    default: 30_000,
    min: 100,
    max: 3_600_000,
    description: 'Longest time for receiving a request and answering it',
    section,
  },
  httpMaxRequestsPerMinute: {
    type: 'integer',
    default: 6000,
    min: 0,
    description: 'Most requests a minute from one address, health not counted; 0 is no limit',
    section,
  },
});

/** The limits among the options, as buildApp takes them. */
export function webLimits(options: Compiled<typeof webOptions>): WebLimits {
  return {
    maxRows: options.httpMaxRows,
    maxBodyBytes: options.httpMaxBytes,
    requestTimeoutMs: options.httpTimeoutMs,
    maxRequestsPerMinute: options.httpMaxRequestsPerMinute,
  };
}

/** An application that listens. */
export interface WebServer {
  /** Where it answers, such as `http://127.0.0.1:8080`, or with `https:` when it was given a certificate. */
  readonly url: string;
  /** Takes no new requests, and resolves when those under way are answered or the time for that has passed. */
  close(): Promise<void>;
}

/**
 * Listens at an address.
 *
 * @param closeTimeoutMs how long requests under way may take once `close` is called; then they are cut off
 * @throws MillraceError MILLRACE_CONFIG_INVALID when the address cannot be had
 */
export async function listen(
  app: FastifyInstance,
  { host, port, closeTimeoutMs = 5000 }: { host: string; port: number; closeTimeoutMs?: number },
): Promise<WebServer> {
  try {
    await app.listen({ host, port, listenTextResolver: (address) => `listening at ${address}` });
  } catch (error) {
    await app.close();
    throw unusableAddress(error, host, port);
  }
  const scheme = app.initialConfig.https === undefined ? 'http' : 'https';
  return {
    url: `${scheme}://${hostOf(app.server.address() as AddressInfo)}`,
    close: () => closeWithin(app, closeTimeoutMs),
  };
}

async function closeWithin(app: FastifyInstance, timeoutMs: number): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
  }
}

/** An address for people: one that listens everywhere is reached at this machine's loopback address. */
function hostOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `127.0.0.1:${port}`;
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/**
 * What whoever listens beyond this machine should know, in one sentence; undefined when there is nothing to say. It is
 * no error: a firewall, a proxy or the network of a container may guard the address.
 */
export function exposure({ host, httpToken, httpTlsCert }: Compiled<typeof webOptions>): string | undefined {
  if (/^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host)) return undefined;
  if (httpToken === undefined) {
    return `anybody who reaches ${host} can read /model and /metrics and send rows to /predict: give a token by MILLRACE_HTTP_TOKEN_FILE, or let only those in who may`;
  }
  if (httpTlsCert === undefined) {
    return `the token and the rows travel to ${host} without encryption: give --http-tls-cert and --http-tls-key, or put a proxy with TLS in front`;
  }
  return undefined;
}

function unusableAddress(error: unknown, host: string, port: number): MillraceError {
  const advice: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is in use; give another one with --port, or 0 for any free one.`,
    EACCES: `Port ${port} may not be used by this user; give one above 1023 with --port.`,
    EADDRNOTAVAIL: `The address ${host} is not one of this machine; give another one with --host.`,
    ENOTFOUND: `The host name ${host} is not known; give another one with --host.`,
  };
  const message =
    advice[(error as NodeJS.ErrnoException).code ?? ''] ??
    `Port ${port} of ${host} cannot be listened at: ${messageOf(error)}.`;
  return new MillraceError('MILLRACE_CONFIG_INVALID', message, { cause: error });
}
