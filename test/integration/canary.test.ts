import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startEmbeddedBroker, type EmbeddedBroker } from '../../deploy/embedded-broker/embedded-broker.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment, type Environment } from '../../src/config/environment.js';
import { assertNoneShown, newSecret } from '../helpers/canary.js';
import { startFakeRegistry } from '../helpers/registry.js';
import { until } from '../helpers/processes.js';
import { runProgram, startProgram, type ProgramResult } from '../helpers/program.js';
import { saveSignBundle } from '../helpers/sign-bundle.js';

const secrets = {
  sasl: newSecret('sasl'),
  wrong: newSecret('wrong'),
  registry: newSecret('registry'),
  token: newSecret('token'),
};
const assertHidden = (text: string, where: string) => assertNoneShown(text, Object.values(secrets), where);

describe('a secret', () => {
  let broker: EmbeddedBroker;
  let folder: string;
  let csv: string;
  let model: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-canary-'));
    csv = join(folder, 'rows.csv');
    writeFileSync(csv, 'id,x,y\n1,1,0\n2,0,1\n3,oops,1\n');
    model = await saveSignBundle();
    broker = await startEmbeddedBroker({
      cacheFolder: cacheFolder(readEnvironment()['MILLRACE_CACHE']),
      listeners: ['SASL_PLAINTEXT'],
      properties: {
        'sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.sasl_plaintext.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="${secrets.sasl}";`,
      },
    });
  });
  after(async () => {
    await broker.stop();
    rmSync(folder, { recursive: true });
  });

  const environment = (password = secrets.sasl): Environment => ({
    MILLRACE_BROKERS: broker.addresses.SASL_PLAINTEXT,
    MILLRACE_SASL_MECHANISM: 'plain',
    MILLRACE_SASL_USERNAME: 'alice',
    MILLRACE_SASL_PASSWORD: password,
    MILLRACE_REGISTRY_AUTH: `registrar:${secrets.registry}`,
    MILLRACE_HTTP_TOKEN: secrets.token,
    MILLRACE_LOG_LEVEL: 'trace',
    MILLRACE_BACKEND: 'wasm',
    MILLRACE_MAX_OUTAGE_MS: '1000',
  });

  /** Runs a program and looks for secrets in all that it prints. */
  async function run(args: readonly string[], given: Environment = {}): Promise<ProgramResult> {
    const result = await runProgram(args, { ...environment(), ...given });
    assertHidden(result.stdout + result.stderr, `millrace ${args.join(' ').slice(0, 80)}`);
    return result;
  }

  it('is not shown by programs whose broker or registry refuses it, or is away', async (t) => {
    const registry = await startFakeRegistry(t);
    registry.failure = { status: 401, body: '{"message":"who are you?"}' };
    const produce = ['produce', csv, '--partitions', '1', '--topic', 'canary-refused'];
    const letters = ['dlq', 'list', 'canary-refused'];
    const serve = ['serve', '--model', model, '--port', '0', '--topic', 'canary-refused'];
    const wrong = environment(secrets.wrong);
    for (const args of [produce, letters, serve]) {
      assert.equal((await run(args, wrong)).code, 4, args[0]);
      assert.equal((await run(args, { MILLRACE_BROKERS: '127.0.0.1:1' })).code, 4, args[0]);
    }
    const avro = ['--format', 'avro', '--registry', registry.url];
    assert.equal((await run([...produce, ...avro])).code, 4);
    assert.equal((await run([...produce, '--format', 'avro', '--registry', 'http://127.0.0.1:1'])).code, 4);
    assert.ok(registry.requests.some(({ authorization }) => authorization?.startsWith('Basic ')));
    await run(['doctor'], wrong);
    await run(['doctor', '--json']);
  });

  it('is not shown by programs that it opens the way for, nor over HTTP', async () => {
    const topic = 'canary-let-in';
    const produced = await run(['produce', csv, '--partitions', '1', '--topic', topic, '--key', 'id']);
    assert.equal(produced.code, 0, produced.stderr);
    const args = ['serve', '--model', model, '--port', '0', '--topic', topic, '--group', topic];
    const { child, result } = startProgram(args, environment());
    let log = '';
    child.stderr!.on('data', (text: string) => (log += text));
    const served = () => /"http":"([^"]+)".*"serving"/.exec(log)?.[1];
    await until(() => served() !== undefined || child.exitCode !== null, 'the member to serve');
    const url = served()!;
    await until(async () => (await fetch(`${url}/health/ready`)).status === 200, 'the member to be ready');
    const asked: [path: string, init?: RequestInit][] = [
      ...['/health/live', '/health/ready', '/metrics', '/model', '/docs', '/docs/json', '/nowhere'].map(
        (path): [string] => [path],
      ),
      ['/metrics', { headers: { authorization: `Bearer ${secrets.token}` } }],
      ['/model', { headers: { authorization: `Bearer ${secrets.token}` } }],
      ['/metrics', { headers: { authorization: `Bearer ${secrets.wrong}` } }],
      [`/model?token=${encodeURIComponent(secrets.token)}`],
      [`/nowhere/${encodeURIComponent(secrets.token)}`],
      [`/%zz${encodeURIComponent(secrets.token)}`],
      [
        '/predict',
        {
          method: 'POST',
          headers: { authorization: `Bearer ${secrets.token}`, 'content-type': 'application/json' },
          body: '{"rows":',
        },
      ],
    ];
    for (const [path, init] of asked) {
      const answer = await fetch(url + path, init);
      assertHidden(JSON.stringify([...answer.headers]) + (await answer.text()), path);
    }
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await result;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /"level":10/);
    assertHidden(stdout + stderr, 'the log of a member');
    for (const program of [
      ['dlq', 'list'],
      ['dlq', 'show'],
    ])
      assert.equal((await run([...program, topic])).code, 0);
  });

  it('is not on the command line of what npm start starts, and may come from a file', async () => {
    const file = join(folder, 'password');
    writeFileSync(file, `${secrets.sasl}\n`);
    const labelled = join(folder, 'labelled.csv');
    writeFileSync(labelled, 'id,x,y,label\n1,1,0,s\n2,-1,0,b\n');
    const flags = [
      '--model',
      model,
      '--csv',
      labelled,
      '--label',
      'label',
      '--members',
      '1',
      '--folder',
      folder,
    ];
    const given = { MILLRACE_SASL_PASSWORD: '', MILLRACE_SASL_PASSWORD_FILE: file };
    const { code, stderr } = await run(['start', ...flags, '--rows', '2'], given);
    assert.equal(code, 0, stderr);
    assertHidden(readFileSync(join(folder, 'member-1.log'), 'utf8'), 'the log of a member');
  });
});
