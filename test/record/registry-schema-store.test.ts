import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RegistrySchemaStore } from '../../src/record/registry-schema-store.js';
import { startFakeRegistry } from '../helpers/registry.js';

const schema = '{"type":"record","name":"R","fields":[]}';

describe('the schema registry', () => {
  it('numbers schemas, and gives them back by number', async (t) => {
    const registry = await startFakeRegistry(t);
    const store = new RegistrySchemaStore({ url: registry.url, timeoutMs: 5_000 });
    assert.equal(await store.register('topic/with slash-value', schema), 1);
    assert.equal(await store.register('other-value', schema), 1);
    assert.equal(await store.get(1), schema);
    assert.equal(await store.get(2), undefined);
    assert.deepEqual(
      registry.requests.map(({ method, path }) => `${method} ${path}`),
      [
        'POST /api/subjects/topic%2Fwith%20slash-value/versions',
        'POST /api/subjects/other-value/versions',
        'GET /api/schemas/ids/1',
        'GET /api/schemas/ids/2',
      ],
    );
    assert.equal(registry.requests[0].authorization, undefined);
  });

  it('is told user and password, which never reach a message', async (t) => {
    const registry = await startFakeRegistry(t);
    const store = new RegistrySchemaStore({ url: registry.url, auth: 'ada:lovelace', timeoutMs: 5_000 });
    registry.failure = { status: 401, body: '{"message":"Unauthorized"}' };
    await assert.rejects(store.get(1), (error: Error) => {
      assert.match(error.message, /answers 401 \(Unauthorized\): check --registry-auth/);
      assert.doesNotMatch(JSON.stringify(error) + error.message, /lovelace/);
      return true;
    });
    assert.equal(
      registry.requests[0].authorization,
      `Basic ${Buffer.from('ada:lovelace').toString('base64')}`,
    );
  });

  it('tells a schema that is refused from a registry that fails', async (t) => {
    const registry = await startFakeRegistry(t);
    const store = new RegistrySchemaStore({ url: registry.url, timeoutMs: 5_000 });
    const cases = [
      [409, '{"message":"incompatible"}', 'MILLRACE_SCHEMA_INVALID'],
      [422, '{}', 'MILLRACE_SCHEMA_INVALID'],
      [500, '<html>', 'MILLRACE_REGISTRY_UNAVAILABLE'],
      [200, '{}', 'MILLRACE_REGISTRY_UNAVAILABLE'],
    ] as const;
    for (const [status, body, code] of cases) {
      registry.failure = { status, body };
      await assert.rejects(store.register('s', schema), { code }, `${status} ${body.slice(0, 40)}`);
    }
  });

  it('is not listened to beyond the length of any schema', async (t) => {
    const registry = await startFakeRegistry(t);
    registry.schemas.set(1, { schema: 'x'.repeat(3_000_000) });
    const store = new RegistrySchemaStore({ url: registry.url, timeoutMs: 5_000 });
    await assert.rejects(store.get(1), { code: 'MILLRACE_REGISTRY_UNAVAILABLE', message: /longer than/ });
  });

  it('gives no schema that is not Avro', async (t) => {
    const registry = await startFakeRegistry(t);
    registry.schemas.set(7, { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' });
    const store = new RegistrySchemaStore({ url: registry.url, timeoutMs: 5_000 });
    assert.equal(await store.get(7), undefined);
  });

  it('is given up when it does not answer in time, or is not there', async (t) => {
    const registry = await startFakeRegistry(t);
    registry.failure = 'hang';
    const slow = new RegistrySchemaStore({ url: registry.url, timeoutMs: 50 });
    await assert.rejects(slow.get(1), { code: 'MILLRACE_REGISTRY_UNAVAILABLE', retriable: true });
    const absent = new RegistrySchemaStore({ url: 'http://127.0.0.1:1', timeoutMs: 5_000 });
    await assert.rejects(absent.get(1), {
      code: 'MILLRACE_REGISTRY_UNAVAILABLE',
      message: /ECONNREFUSED|bad port/,
    });
  });

  it('does not follow a redirection', async (t) => {
    const registry = await startFakeRegistry(t);
    registry.failure = { status: 302, body: '', location: `${registry.url}/elsewhere` };
    const store = new RegistrySchemaStore({ url: registry.url, timeoutMs: 5_000 });
    await assert.rejects(store.get(1), { code: 'MILLRACE_REGISTRY_UNAVAILABLE' });
    assert.equal(registry.requests.length, 1);
  });

  it('must be a URL of http without user and password', () => {
    for (const url of ['registry:8081', 'ftp://registry', 'nonsense', 'http://ada:lovelace@registry']) {
      assert.throws(() => new RegistrySchemaStore({ url, timeoutMs: 1 }), {
        code: 'MILLRACE_CONFIG_INVALID',
      });
    }
  });
});
