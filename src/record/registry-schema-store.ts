import { MillraceError, messageOf } from '../errors.js';
import type { SchemaStore } from './schema-store.js';

export interface RegistryOptions {
  /** Where the registry answers, such as `https://registry:8081`; a path is kept. */
  readonly url: string;
  /** `user:password` */
  readonly auth?: string | undefined;
  readonly timeoutMs: number;
}

const maxAnswerBytes = 2 * 1024 * 1024;
const mediaType = 'application/vnd.schemaregistry.v1+json';

/** A registry with the Confluent API (https://docs.confluent.io/platform/current/schema-registry/develop/api.html). */
export class RegistrySchemaStore implements SchemaStore {
  readonly #base: URL;
  readonly #timeoutMs: number;
  readonly #headers: Record<string, string>;

  /** Throws MILLRACE_CONFIG_INVALID. */
  constructor(options: RegistryOptions) {
    const base = URL.canParse(options.url) ? new URL(options.url) : undefined;
    if (base === undefined || !['http:', 'https:'].includes(base.protocol)) {
      throw new MillraceError('MILLRACE_CONFIG_INVALID', '--registry must be a URL with http or https.');
    }
    if (base.username !== '' || base.password !== '') {
      throw new MillraceError(
        'MILLRACE_CONFIG_INVALID',
        'Give user and password of the registry by --registry-auth or MILLRACE_REGISTRY_AUTH, not in its URL.',
      );
    }
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    this.#base = base;
    this.#timeoutMs = options.timeoutMs;
    this.#headers = {
      accept: mediaType,
      'content-type': mediaType,
      ...(options.auth === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` }),
    };
  }

  async register(subject: string, avroSchema: string): Promise<number> {
    const path = `subjects/${encodeURIComponent(subject)}/versions`;
    const answer = await this.#ask(path, { method: 'POST', body: JSON.stringify({ schema: avroSchema }) });
    // 409: not compatible with the versions before; 422: not a schema.
    if (answer.status === 409 || answer.status === 422) {
      throw new MillraceError(
        'MILLRACE_SCHEMA_INVALID',
        `The schema registry refuses the schema for "${subject}": ${messageIn(answer.body)}.`,
        { facts: { subject, status: answer.status } },
      );
    }
    const id = answer.body['id'];
    if (answer.status !== 200 || typeof id !== 'number') throw this.#refusal(answer.status, answer.body);
    return id;
  }

  async get(id: number): Promise<string | undefined> {
    const answer = await this.#ask(`schemas/ids/${id}`, {});
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#refusal(answer.status, answer.body);
    // The registry names the type only when it is another one, such as PROTOBUF.
    const avro = (answer.body['schemaType'] ?? 'AVRO') === 'AVRO';
    const schema = answer.body['schema'];
    return avro && typeof schema === 'string' ? schema : undefined;
  }

  async #ask(
    path: string,
    request: { method?: string; body?: string },
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    try {
      const response = await fetch(new URL(path, this.#base), {
        ...request,
        headers: this.#headers,
        // A redirection would carry the password to a place nobody named.
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      const text = await readText(response);
      return { status: response.status, body: parseObject(text) };
    } catch (error) {
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new MillraceError(
        'MILLRACE_REGISTRY_UNAVAILABLE',
        `The schema registry ${this.#base.href} does not answer (${messageOf(reason)}): check --registry.`,
        { cause: error },
      );
    }
  }

  #refusal(status: number, body: Record<string, unknown>): MillraceError {
    const hint = status === 401 || status === 403 ? ': check --registry-auth' : '';
    return new MillraceError(
      'MILLRACE_REGISTRY_UNAVAILABLE',
      `The schema registry ${this.#base.href} answers ${status} (${messageIn(body)})${hint}.`,
      { facts: { status } },
    );
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let numBytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    numBytes += chunk.length;
    if (numBytes > maxAnswerBytes) throw new Error(`its answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** An answer that is no object says nothing: proxies answer in HTML. */
function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function messageIn(body: Record<string, unknown>): string {
  const message = body['message'];
  return typeof message === 'string' ? message.slice(0, 500) : 'no reason given';
}
