import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { kafkaJarsFolder } from '../../deploy/embedded-broker/kafka-jars.js';
import { cacheFolder } from '../../src/config/cache-folder.js';
import { readEnvironment } from '../../src/config/environment.js';
import { nativeTensorFlowFolder } from '../../src/tensorflow/native-location.js';
import { runProgram } from '../helpers/program.js';
import { scratchFolder } from '../helpers/scratch.js';

const cache = cacheFolder(readEnvironment()['MILLRACE_CACHE']);
const isSetUp = existsSync(nativeTensorFlowFolder(cache));

describe('millrace setup', () => {
  it(
    'does nothing the second time, and needs none of its tools then',
    { skip: isSetUp ? false : 'native TensorFlow cannot be set up on this machine' },
    async () => {
      const { code, stdout, stderr } = await runProgram(['setup', '--backend', 'native'], {
        PATH: '/nowhere',
      });
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(stdout, `Native TensorFlow is ready in ${nativeTensorFlowFolder(cache)}\n`);
    },
  );

  it('says in one sentence why native TensorFlow cannot be had, and fails only if it must', async (t) => {
    const environment = { PATH: '/nowhere', MILLRACE_CACHE: scratchFolder(t) };
    const must = await runProgram(['setup', '--backend', 'native'], environment);
    assert.equal(must.code, 1);
    assert.match(
      must.stderr,
      /^millrace: Native TensorFlow cannot be set up.*\[MILLRACE_TENSORFLOW_UNAVAILABLE\]\n$/,
    );
    const may = await runProgram(['setup'], environment);
    assert.deepEqual([may.code, may.stdout], [0, 'WebAssembly is ready; it needs no set-up\n']);
    assert.match(may.stderr, /^millrace: WebAssembly computes, several times slower\. Native [^\n]+\n$/);
  });

  it('fetches Kafka once when two do it at the same time, and again when a jar was damaged', async (t) => {
    const folder = scratchFolder(t);
    const run = () => runProgram(['setup', '--backend', 'wasm', '--broker'], { MILLRACE_CACHE: folder });
    const both = await Promise.all([run(), run()]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    );
    const fetched = () => both.filter(({ stderr }) => stderr.includes('fetching Apache Kafka')).length;
    assert.equal(fetched(), 1);
    assert.deepEqual(readdirSync(folder), ['kafka-4.1.1']);

    const [jar] = readdirSync(kafkaJarsFolder(folder));
    writeFileSync(join(kafkaJarsFolder(folder), jar), 'damaged');
    const mended = await run();
    assert.equal(mended.code, 0);
    assert.match(mended.stderr, /fetching Apache Kafka/);
    assert.equal((await run()).stderr, '');
  });
});

describe('millrace doctor', () => {
  it('finds what the tests themselves run on', async () => {
    const { code, stdout } = await runProgram(['doctor', '--json'], {
      MILLRACE_BROKERS: readEnvironment()['MILLRACE_TEST_BROKERS'],
    });
    const { healthy, findings } = JSON.parse(stdout) as {
      healthy: boolean;
      findings: { name: string; status: string }[];
    };
    assert.deepEqual([code, healthy], [0, true]);
    const status = Object.fromEntries(findings.map((each) => [each.name, each.status]));
    assert.equal(status['Your brokers'], 'ok');
    assert.equal(status['WebAssembly TensorFlow'], 'ok');
    assert.equal(status['Native TensorFlow'], isSetUp ? 'ok' : 'warning');
  });

  it('ends with 1 and names the command that mends it when something is missing', async (t) => {
    const { code, stdout } = await runProgram(['doctor'], {
      PATH: '/nowhere',
      MILLRACE_CACHE: scratchFolder(t),
    });
    assert.equal(code, 1);
    assert.match(stdout, /✖ Embedded broker +cannot run here/);
    assert.match(stdout, /→ .*/);
    assert.match(stdout, /Something is missing: Embedded broker\.\n$/);
  });
});
