import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startEmbeddedBroker, type EmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import { connect, connectionOptions } from '../../src/stream/connection.js';
import { createPublisher } from '../../src/stream/publisher.js';
import { countPartitions, ensureTopics } from '../../src/stream/topics.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { missingTool } from '../helpers/tool.js';

describe('a broker with TLS and SASL', { skip: missingTool('openssl') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const [certificate, key] = [join(folder, 'broker.pem'), join(folder, 'broker.key')];
  let broker: EmbeddedBroker | undefined;

  before(async () => {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', certificate, ...subject], {
      stdio: 'ignore',
    });
    broker = await startEmbeddedBroker({
      cacheFolder: cacheFolder(readEnvironment()['MILLRACE_CACHE']),
      listeners: ['SASL_SSL'],
      properties: {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.certificate.chain': readFileSync(certificate, 'utf8'),
        'ssl.keystore.key': readFileSync(key, 'utf8'),
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl_ssl.plain.sasl.jaas.config':
          'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="right";',
      },
    });
  });
  after(() => broker?.stop());

  function clientWith(flags: Record<string, unknown>) {
    const asked = {
      brokers: broker!.addresses.SASL_SSL,
      tls: true,
      tlsCa: certificate,
      saslMechanism: 'plain',
      saslUsername: 'alice',
      saslPassword: 'right',
    };
    const options = compileOptions(connectionOptions, { flags: { ...asked, ...flags } });
    return connect(options, createLogger({ name: 'test', level: 'silent' }));
  }

  it('is used with the right certificate and password', async () => {
    const client = clientWith({});
    await ensureTopics(client, [{ topic: 'secured', numPartitions: 2 }], { create: true });
    const publisher = await createPublisher(client, { compression: 'none' });
    await publisher.send([{ topic: 'secured', key: 'k', value: Buffer.from('v') }]);
    await publisher.close();
    assert.equal(await countPartitions(client, 'secured'), 2);
  });

  const refused: [what: string, flags: Record<string, unknown>, message: RegExp][] = [
    ['the password is wrong', { saslPassword: 'wrong' }, /refused the credentials: check --sasl-mechanism/],
    ['the user is unknown', { saslUsername: 'mallory' }, /refused the credentials/],
    [
      'its certificate is signed by somebody else',
      { tlsCa: undefined },
      /No broker answers at .*self-signed certificate/,
    ],
    ['it is spoken to without TLS', { tls: false, tlsCa: undefined }, /No broker answers at/],
  ];
  for (const [what, flags, message] of refused) {
    it(`is refused in one sentence without the secret when ${what}`, async () => {
      const error = await ensureTopics(clientWith(flags), [{ topic: 'x' }], { create: false }).catch(
        (e: Error) => e,
      );
      assert.ok(error instanceof Error);
      assert.equal((error as Error & { code?: string }).code, 'MILLRACE_BROKER_UNAVAILABLE');
      assert.match(error.message, message);
      assert.doesNotMatch(JSON.stringify(error) + error.message, /right|wrong/);
    });
  }
});
