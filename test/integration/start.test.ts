import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { readEnvironment } from '../../src/config/environment.js';
import { packageRoot } from '../../src/config/package-root.js';
import { testBrokers, uniqueName } from '../helpers/broker.js';
import { scratchFolder } from '../helpers/scratch.js';

/** `millrace start` in a folder of its own, and what it prints. */
class StartProcess {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  stdout = '';
  readonly #waiting = new Set<() => void>();
  readonly #closed: Promise<unknown>;

  constructor(t: TestContext, folder: string, args: readonly string[]) {
    this.child = spawn(
      process.execPath,
      [join(packageRoot, 'dist/deploy/millrace.js'), 'start', '--folder', join(folder, 'run'), ...args],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...readEnvironment(), MILLRACE_LOG_LEVEL: 'warn' },
      },
    );
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    createInterface({ input: this.child.stderr! }).on('line', (line) => {
      this.lines.push(line);
      for (const look of this.#waiting) look();
    });
    this.#closed = once(this.child, 'close');
    t.after(() => this.child.kill('SIGKILL'));
  }

  /** Resolves with the first line that matches; rejects when the process ends without one. */
  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.lines.find((line) => pattern.test(line));
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
      void this.#closed.then(() =>
        reject(new Error(`no line ${String(pattern)} in:\n${this.lines.join('\n')}`)),
      );
    });
  }

  async exitCode(): Promise<number | null> {
    await this.#closed;
    return this.child.exitCode;
  }
}

/** The numbers of "N rows in = P predictions + D dead letters". */
function accounts(stdout: string): { rows: number; predictions: number; deadLetters: number } {
  const found =
    /([\d,]+) rows in = ([\d,]+) predictions \+ ([\d,]+) dead letters:\s+every row was answered exactly once/.exec(
      stdout,
    );
  assert.ok(found, stdout);
  const [rows, predictions, deadLetters] = found.slice(1).map((text) => Number(text.replaceAll(',', '')));
  return { rows, predictions, deadLetters };
}

describe('millrace start', () => {
  it('runs broker, model, members and stream by itself, and drains them at Ctrl-C', async (t) => {
    const run = new StartProcess(t, scratchFolder(t), ['--members', '1']);
    await run.line(/streaming .*accuracy 0\.\d+ .*dead letters [1-9]/);
    run.child.kill('SIGINT');
    assert.equal(await run.exitCode(), 0, run.lines.join('\n'));
    const { rows, predictions, deadLetters } = accounts(run.stdout);
    assert.equal(predictions + deadLetters, rows);
    assert.ok(deadLetters > 0);
    const accuracy = Number(/accuracy\s+(0\.\d+)/.exec(run.stdout)![1]);
    assert.ok(accuracy > 0.75, `accuracy ${accuracy}`);
  });

  it('streams a CSV file through members of a cluster and ends with the file', async (t) => {
    const folder = scratchFolder(t);
    const lines = Array.from(
      { length: 600 },
      (_, i) => `${i},${i % 7},${(i * 3) % 11},0,${i % 7 > 3 ? 'up' : 'down'}`,
    );
    // Two rows of the second half that cannot be used.
    lines[400] = 'too,few';
    lines[500] = '500,abc,1,0,up';
    const file = join(folder, 'rows.csv');
    writeFileSync(file, ['id,a,b,c,trend', ...lines, ''].join('\n'));
    const topic = uniqueName('start');
    const run = new StartProcess(t, folder, [
      ...['--csv', file, '--label', 'trend', '--key', 'id', '--drop', 'c', '--types', 'a=int', '--rate', '0'],
      ...[
        '--brokers',
        testBrokers().join(','),
        '--topic',
        topic,
        '--output',
        `${topic}.out`,
        '--group',
        topic,
      ],
    ]);
    assert.equal(await run.exitCode(), 0, run.lines.join('\n'));
    assert.deepEqual(accounts(run.stdout), { rows: 600, predictions: 598, deadLetters: 2 });
    const manifest = JSON.parse(readFileSync(join(folder, 'run', 'model', 'manifest.json'), 'utf8')) as {
      schema: { features: string[] };
    };
    assert.deepEqual(manifest.schema.features, ['a', 'b']);
  });

  it('asks for the label of a CSV file in one sentence', async (t) => {
    const run = new StartProcess(t, scratchFolder(t), ['--csv', 'rows.csv']);
    assert.equal(await run.exitCode(), 2);
    assert.deepEqual(run.lines, ['millrace: Give --label or set MILLRACE_LABEL. [MILLRACE_CONFIG_INVALID]']);
  });
});
