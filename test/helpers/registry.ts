import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** What the registry was asked, and what it answers instead of its usual answers. */
export interface FakeRegistry {
  readonly url: string;
  readonly requests: { method: string; path: string; authorization: string | undefined; body: string }[];
  /** Answers every request so, once set; `hang` answers none. */
  failure: { status: number; body: string; location?: string } | 'hang' | undefined;
  readonly schemas: Map<number, { schema: string; schemaType?: string }>;
}

/** A schema registry over real HTTP, as far as Confluent's API is used here; it ends with the test. */
export async function startFakeRegistry(test: TestContext): Promise<FakeRegistry> {
  const registry: FakeRegistry = { url: '', requests: [], failure: undefined, schemas: new Map() };
  const server: Server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      registry.requests.push({ method, path, authorization: headers.authorization, body });
      if (registry.failure === 'hang') return;
      if (registry.failure?.location !== undefined) response.setHeader('location', registry.failure.location);
      const { status, body: answer } = registry.failure ?? reply(registry, method, path, body);
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(registry, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api` });
}

function reply(
  registry: FakeRegistry,
  method: string,
  path: string,
  body: string,
): { status: number; body: string } {
  const { schemas } = registry;
  if (method === 'POST' && /^\/api\/subjects\/[^/]+\/versions$/.test(path)) {
    const { schema } = JSON.parse(body) as { schema: string };
    let id = [...schemas].find(([, each]) => each.schema === schema)?.[0];
    if (id === undefined) schemas.set((id = schemas.size + 1), { schema });
    return { status: 200, body: JSON.stringify({ id }) };
  }
  const found = schemas.get(Number(/^\/api\/schemas\/ids\/(\d+)$/.exec(path)?.[1]));
  return found === undefined
    ? { status: 404, body: JSON.stringify({ error_code: 40403, message: 'Schema not found' }) }
    : { status: 200, body: JSON.stringify(found) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
