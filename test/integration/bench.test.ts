import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import type { CpuProfile } from '../../bench/profile/summary.js';
import { readEnvironment } from '../../src/config/environment.js';
import { packageRoot } from '../../src/config/package-root.js';
import { testBrokers } from '../helpers/broker.js';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bench-test-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Where a run makes what it removes again. */
function startBench(temporary: string, ...args: readonly string[]) {
  return spawn(process.execPath, [join(packageRoot, 'dist', 'bench', 'run.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...readEnvironment(), MILLRACE_TEST_BROKERS: testBrokers().join(','), TMPDIR: temporary },
  });
}

describe('npm run bench', () => {
  it('measures a serving member, keeps its profiles, and leaves nothing else behind', async () => {
    const [temporary, profiles] = [mkdtempSync(join(folder, 'run-')), join(folder, 'profiles')];
    const flags = [
      '--quick',
      '--rows',
      '120000',
      '--parts',
      'latency,health',
      '--profile',
      profiles,
      '--json',
    ];
    const bench = startBench(temporary, 'serve', ...flags);
    let [output, said] = ['', ''];
    bench.stdout.on('data', (text: Buffer) => (output += text.toString()));
    bench.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const [code] = (await once(bench, 'close')) as [number];
    assert.equal(code, 0, said);
    const { benchmark, results } = JSON.parse(output) as {
      benchmark: string;
      results: {
        latency: Record<string, { arrived: number }[]>;
        health: { p99Ms: number }[];
        profile: Record<string, { busyShare: number }>;
      };
    };
    assert.equal(benchmark, 'serve');
    assert.equal(results.latency['10 %'][0].arrived, 1);
    assert.ok(results.health[0].p99Ms > 0);
    // The compute thread is the one beside the main thread.
    assert.ok(Object.keys(results.profile).length >= 2, Object.keys(results.profile).join());
    assert.ok(results.profile['main'].busyShare > 0);
    for (const name of readdirSync(profiles)) {
      const profile = JSON.parse(readFileSync(join(profiles, name), 'utf8')) as CpuProfile;
      assert.ok(name.endsWith('.cpuprofile') && profile.samples.length > 0, name);
    }
    assert.deepEqual(readdirSync(temporary), []);
  });

  it('leaves nothing behind, and writes no report, when it is interrupted', async () => {
    const [temporary, docs] = [mkdtempSync(join(folder, 'run-')), join(folder, 'docs')];
    const bench = startBench(temporary, '--quick', '--docs', docs);
    let said = '';
    for await (const line of createInterface({ input: bench.stderr })) {
      said += `${line}\n`;
      if (/rows\/s/.test(line)) break;
    }
    assert.match(said, /rows\/s/);
    bench.stderr.resume();
    bench.kill('SIGTERM');
    const [code] = (await once(bench, 'close')) as [number];
    assert.equal(code, 1);
    assert.deepEqual(readdirSync(temporary), []);
    assert.ok(!existsSync(docs));
  });
});
