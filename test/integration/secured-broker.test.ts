import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { startEmbeddedBroker, type EmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { compileOptions } from '../../src/config/options.js';
import type { MillraceError } from '../../src/errors.js';
import { connect, connectionOptions } from '../../src/stream/client/connection.js';
import { ensureTopics } from '../../src/stream/topics/topics.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { uniqueName } from '../helpers/broker.js';
import { Authority, type Certificate } from '../helpers/certificates.js';
import { jsonOf, readTopic, untilTopicHolds } from '../helpers/kcat.js';
import { runProgram } from '../helpers/program.js';
import { ServingProcess } from '../helpers/serving-process.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';
import { missingTool } from '../helpers/tool.js';

const password = 'correct-horse-battery';
const user = { 'sasl-username': 'alice', 'sasl-password': password };

type Options = Record<string, string | boolean>;
type Refusal = [what: string, options: () => Options, message: RegExp];

describe('a broker with TLS', { skip: missingTool('openssl') || missingTool('kcat') }, () => {
  let folder: string;
  let authority: Authority;
  let stranger: Authority;
  let client: Certificate;
  let broker: EmbeddedBroker;
  let model: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-tls-'));
    authority = new Authority(folder);
    stranger = new Authority(folder, 'stranger');
    client = authority.sign('client');
    const { cert, key } = authority.sign('broker');
    const jaas = 'org.apache.kafka.common.security';
    broker = await startEmbeddedBroker({
      cacheFolder: cacheFolder(readEnvironment()['MILLRACE_CACHE']),
      listeners: ['SASL_SSL', 'SSL'],
      scramUsers: [{ name: 'alice', password }],
      properties: {
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.certificate.chain': cert,
        'ssl.keystore.key': key,
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.certificates': authority.ca,
        'listener.name.ssl.ssl.client.auth': 'required',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'listener.name.sasl_ssl.plain.sasl.jaas.config': `${jaas}.plain.PlainLoginModule required user_alice="${password}";`,
        'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${jaas}.scram.ScramLoginModule required;`,
        'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${jaas}.scram.ScramLoginModule required;`,
      },
    });
    model = await saveSignBundle();
  });
  after(async () => {
    await broker.stop();
    await rm(folder, { recursive: true });
  });

  const withUser = (mechanism: string, flags: Record<string, string> = {}) => ({
    brokers: broker.addresses.SASL_SSL!,
    'tls-ca': authority.caFile,
    'sasl-mechanism': mechanism,
    ...user,
    ...flags,
  });
  const withCertificate = ({ certFile, keyFile }: Certificate) => ({
    brokers: broker.addresses.SSL!,
    'tls-ca': authority.caFile,
    'tls-cert': certFile,
    'tls-key': keyFile,
  });
  const ways: [string, () => Record<string, string>][] = [
    ['a password by PLAIN', () => withUser('plain')],
    ['a password by SCRAM-SHA-256', () => withUser('scram-sha-256')],
    ['a password by SCRAM-SHA-512', () => withUser('scram-sha-512')],
    ['a certificate of its own', () => withCertificate(client)],
  ];

  for (const [way, options] of ways) {
    it(`takes rows and gives them to a member that shows ${way}`, async () => {
      const topic = uniqueName('secured');
      const csv = join(folder, `${topic}.csv`);
      const rows = Array.from({ length: 50 }, (_, id) => `${id},${id - 25},0.5\n`);
      writeFileSync(csv, `id,x,y\n${rows.join('')}`);
      const flags = Object.entries(options()).flatMap(([name, value]) => [`--${name}`, value]);
      const sent = await runProgram(
        ['produce', csv, '--topic', topic, '--partitions', '2', '--key', 'id', '--tls', ...flags],
        {},
      );
      assert.equal(sent.code, 0, sent.stderr);

      const output = `${topic}-out`;
      const member = new ServingProcess({
        ...{ model, topic, output, group: topic, backend: 'wasm', config: tlsConfig(folder) },
        ...options(),
      });
      await member.line('serving');
      await untilTopicHolds(output, 50, broker.brokers);
      await member.stop();
      const answers = await readTopic(output, broker.brokers);
      assert.deepEqual(
        answers.map((answer) => jsonOf<{ id: number }>(answer).id).sort((a, b) => a - b),
        Array.from({ length: 50 }, (_, id) => id),
      );
    });
  }

  const wrongPasswords = ['plain', 'scram-sha-256', 'scram-sha-512'].map((mechanism): Refusal => {
    const options = () => withUser(mechanism, { 'sasl-password': 'wrong-horse' });
    return [`a wrong password by ${mechanism}`, options, /refused the credentials: check --sasl-mechanism/];
  });
  const refusals: readonly Refusal[] = [
    ...wrongPasswords,
    [
      'an unknown user',
      () => withUser('scram-sha-512', { 'sasl-username': 'mallory' }),
      /refused the credentials/,
    ],
    [
      'trust in another authority only',
      () => withUser('plain', { 'tls-ca': stranger.caFile }),
      /shows a certificate that nobody who is trusted has signed: .* --tls-ca/,
    ],
    [
      'no TLS',
      () => ({ brokers: broker.addresses.SASL_SSL!, tls: false, 'sasl-mechanism': 'plain', ...user }),
      /No broker answers at .*--tls/,
    ],
    [
      'TLS where there is none',
      () => ({ brokers: broker.brokers[0], 'tls-ca': authority.caFile }),
      /No broker answers at .*--tls/,
    ],
    [
      'no certificate where one is asked for',
      () => ({ brokers: broker.addresses.SSL!, 'tls-ca': authority.caFile }),
      /does not accept the certificate of this client, or asks for one: give --tls-cert/,
    ],
    [
      'a certificate of another authority',
      () => withCertificate(stranger.sign('mallory')),
      /does not accept the certificate of this client, or asks for one: give --tls-cert/,
    ],
  ];
  for (const [what, options, message] of refusals) {
    it(`refuses ${what}, in one sentence, soon and without the secret`, () => refuses(options(), message));
  }

  it('is not asked with a certificate that has expired', () =>
    refuses(
      withCertificate(authority.sign('client-of-yesterday', { days: -1 })),
      /of --tls-cert holds a certificate that expired on .*: renew it/,
      'MILLRACE_FILE_UNUSABLE',
    ));

  const imposters: [what: string, cert: () => Certificate, message: RegExp][] = [
    [
      'has expired',
      () => authority.sign('broker-of-yesterday', { days: -1 }),
      /shows a certificate that has expired: renew it there/,
    ],
    [
      'is for another host',
      () => authority.sign('elsewhere', { names: 'DNS:kafka.example,IP:192.0.2.1' }),
      /shows a certificate for another host: give --brokers a name that is in it/,
    ],
  ];
  for (const [what, certificate, message] of imposters) {
    it(`is not trusted when its certificate ${what}`, async (t) => {
      const { cert, key } = certificate();
      const brokers = await listenUntilEnd(t, createTlsServer({ cert, key }));
      await refuses({ brokers, 'tls-ca': authority.caFile }, message);
    });
  }

  it('is given up when it takes connections and never speaks', async (t) => {
    const brokers = await listenUntilEnd(t, createTcpServer());
    await refuses({ brokers, 'tls-ca': authority.caFile }, /No broker answers at .*Connection timeout/);
  });
});

/** Fails unless the topics of such a broker cannot be listed, for this reason, within half a minute. */
async function refuses(
  options: Options,
  message: RegExp,
  code = 'MILLRACE_BROKER_UNAVAILABLE',
): Promise<void> {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'trace',
    destination: { write: (line) => void lines.push(line) },
  });
  const startedAt = performance.now();
  const error = await (async () => {
    const compiled = compileOptions(connectionOptions, { file: { tls: true, ...options } });
    await ensureTopics(connect(compiled, logger), [{ topic: 'x' }], { create: false });
  })().catch((e: unknown) => e as MillraceError);
  assert.ok(error instanceof Error, 'it was let in');
  assert.equal(error.code, code);
  assert.match(error.message, message);
  assert.ok(performance.now() - startedAt < 30_000);
  assert.doesNotMatch(JSON.stringify(error) + error.message + lines.join(''), /horse/);
}

async function listenUntilEnd(t: TestContext, server: Server): Promise<string> {
  server.on('connection', (socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A switch cannot be given as a flag with a value. */
function tlsConfig(folder: string): string {
  const path = join(folder, 'tls.yaml');
  writeFileSync(path, 'tls: true\n');
  return path;
}
