import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compileOptions } from '../../../src/config/options.js';
import { connect, connectionOptions } from '../../../src/stream/client/connection.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { Authority } from '../../helpers/certificates.js';
import { scratchFolder } from '../../helpers/scratch.js';
import { missingTool } from '../../helpers/tool.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const connectWith = (flags: Record<string, unknown>) =>
  connect(compileOptions(connectionOptions, { flags }), logger);
const refuses = (flags: Record<string, unknown>, message: RegExp, code = 'MILLRACE_CONFIG_INVALID') =>
  assert.throws(() => connectWith(flags), { code, message });

describe('the options of the connection', () => {
  it('take brokers by name, IPv4 and IPv6', () => {
    const { brokers } = connectWith({ brokers: 'a.example:9092,127.0.0.1:1,[::1]:65535' });
    assert.deepEqual(brokers, ['a.example:9092', '127.0.0.1:1', '[::1]:65535']);
  });

  it('refuse a broker without a port that can be', () => {
    for (const broker of ['kafka', 'kafka:', 'kafka:0', 'kafka:65536', 'http://kafka:9092', 'a b:9092']) {
      refuses({ brokers: broker }, /write each broker as HOST:PORT/);
    }
    refuses({ brokers: '' }, /at least one broker/);
  });

  it('refuse credentials that do not belong together', () => {
    refuses({ saslUsername: 'u' }, /--sasl-mechanism/);
    refuses({ saslMechanism: 'plain', saslUsername: 'u' }, /needs --sasl-username and --sasl-password/);
    refuses({ tlsCa: 'ca.pem' }, /without --tls/);
    refuses({ tls: true, tlsCert: 'c.pem' }, /--tls-cert and --tls-key together/);
  });

  it('refuse a PEM file that cannot be read, naming it', () => {
    refuses(
      { tls: true, tlsCa: '/nowhere/ca.pem' },
      /"\/nowhere\/ca\.pem" of --tls-ca/,
      'MILLRACE_FILE_UNUSABLE',
    );
  });

  it('refuse a file that is not the certificate it must be', (t) => {
    const file = join(scratchFolder(t), 'ca.pem');
    writeFileSync(file, 'a certificate');
    refuses({ tls: true, tlsCa: file }, /of --tls-ca holds no certificate in PEM/, 'MILLRACE_FILE_UNUSABLE');
  });

  it('show no password that stands before a broker', () => {
    refuses(
      { brokers: 'kafka:1,alice:hunter2@kafka:9092' },
      /^--brokers has "\(hidden\)@kafka:9092"; write each/,
    );
  });

  it('take TLS and SASL together', { skip: missingTool('openssl') }, (t) => {
    const { caFile } = new Authority(scratchFolder(t));
    const sasl = { saslMechanism: 'scram-sha-512', saslUsername: 'u', saslPassword: 'p' };
    assert.ok(connectWith({ brokers: 'a:1', tls: true, tlsCa: caFile, ...sasl }).kafka);
  });
});
