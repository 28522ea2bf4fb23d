import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { CommanderError } from 'commander';
import { parse } from 'yaml';
import { commandLine } from '../../deploy/command-line.js';
import type { Environment } from '../../src/config/environment.js';
import { defineOptions, type OptionTable } from '../../src/config/options.js';
import type { Program, ProgramContext } from '../../src/config/program.js';

const options = defineOptions({
  model: { type: 'string', placeholder: 'BUNDLE', description: 'Model bundle' },
  batch: { type: 'integer', default: 32, min: 1, description: 'Rows of a batch' },
  loop: { type: 'boolean', default: false, description: 'Begin again' },
  create: { type: 'boolean', default: true, description: 'Create the topic when it is missing' },
  aNameThatIsLongerThanMost: { type: 'integer', description: 'Stands below' },
  token: { type: 'string', secret: true, description: 'Token', section: 'HTTP' },
});

/** A program may have a deadline of its own. */
const ownDeadline = defineOptions({
  drainTimeoutMs: { type: 'integer', default: 9, description: 'Deadline' },
});

interface Run {
  readonly exitCode: number | undefined;
  readonly out: string;
  readonly err: string;
  /** What the program was run with; undefined when it was not. */
  readonly ran?: { name: string; options: Record<string, unknown>; args: readonly string[] };
  readonly opened?: Record<string, unknown>;
}

async function millrace(argv: readonly string[], environment: Environment = {}): Promise<Run> {
  let [out, err, ran, opened, exitCode] = ['', '', undefined, undefined, undefined] as [
    string,
    string,
    Run['ran'],
    Run['opened'],
    number | undefined,
  ];
  const program = (name: string, args: readonly string[] = [], more: OptionTable = {}): Program => ({
    name,
    summary: `Serve ${name}`,
    description: `Serves ${name}\nas it was told.\n\n  It never\n  rests.`,
    arguments: args.map((each) => ({ name: each, description: 'Files' })),
    options: { ...options, ...more },
    examples: [`millrace ${name} --model m`],
    run: (compiled, given) => {
      const own = Object.keys({ ...options, ...more });
      ran = {
        name,
        options: Object.fromEntries(own.map((each) => [each, compiled[each]])),
        args: given,
      };
      return Promise.resolve(7);
    },
  });
  const root = commandLine(
    [
      program('serve', ['[files...]']),
      program('model import', ['<folder>']),
      program('fast', [], ownDeadline),
    ],
    {
      environment,
      stdout: { write: (text) => (out += text), columns: 90 },
      stderr: { write: (text) => (err += text) },
      openContext: (_program, processOptions) => {
        opened = processOptions;
        return {} as ProgramContext;
      },
    },
    (code) => (exitCode = code),
  );
  try {
    await root.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    ({ exitCode } = error);
  }
  return { exitCode, out, err, ran, opened };
}

function configFile(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-command-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'millrace.yaml');
  writeFileSync(path, content);
  return path;
}

describe('the command line', () => {
  it('runs a program with its options and arguments, and ends with its code', async () => {
    const { ran, exitCode, opened } = await millrace([
      'serve',
      'a.csv',
      '--batch',
      '8',
      'b.csv',
      '--log-level',
      'debug',
    ]);
    assert.equal(exitCode, 7);
    assert.deepEqual(ran?.args, ['a.csv', 'b.csv']);
    assert.deepEqual(ran?.options, {
      model: undefined,
      batch: 8,
      loop: false,
      create: true,
      aNameThatIsLongerThanMost: undefined,
      token: undefined,
    });
    assert.deepEqual([opened?.['logLevel'], opened?.['drainTimeoutMs']], ['debug', 120_000]);
  });

  it('lets a program define an option of every process itself', async () => {
    const { ran, opened, out } = await millrace(['fast']);
    assert.equal(ran?.options['drainTimeoutMs'], 9);
    assert.equal(opened?.['drainTimeoutMs'], 9);
    assert.equal(out, '');
  });

  it('runs programs of two words', async () => {
    const { ran } = await millrace(['model', 'import', 'folder']);
    assert.deepEqual([ran?.name, ran?.args], ['model import', ['folder']]);
  });

  it('has a flag that turns on and one that turns off for every switch', async () => {
    const environment = { MILLRACE_LOOP: 'true', MILLRACE_CREATE: 'false' };
    const asTheEnvironmentSays = await millrace(['serve'], environment);
    assert.equal(asTheEnvironmentSays.ran?.options['loop'], true);
    assert.equal(asTheEnvironmentSays.ran?.options['create'], false);
    const turned = await millrace(['serve', '--no-loop', '--create'], environment);
    assert.equal(turned.ran?.options['loop'], false);
    assert.equal(turned.ran?.options['create'], true);
  });

  it('reads the file that --config or MILLRACE_CONFIG names', async (t) => {
    const path = configFile(t, 'batch: 64\nloop: true\nlog-level: warn\n');
    for (const { ran, opened } of [
      await millrace(['serve', '--config', path]),
      await millrace(['serve'], { MILLRACE_CONFIG: path }),
    ]) {
      assert.equal(ran?.options['batch'], 64);
      assert.equal(ran?.options['loop'], true);
      assert.equal(opened?.['logLevel'], 'warn');
    }
  });

  it('refuses a file that is missing, broken or no set of options', async (t) => {
    await assert.rejects(millrace(['serve', '--config', '/nowhere.yaml']), {
      code: 'MILLRACE_CONFIG_INVALID',
      message: /^The configuration file \/nowhere\.yaml cannot be read: ENOENT/,
    });
    const broken = configFile(t, 'batch: [');
    await assert.rejects(millrace(['serve', '--config', broken]), { code: 'MILLRACE_CONFIG_INVALID' });
    const list = configFile(t, '- batch');
    await assert.rejects(millrace(['serve', '--config', list]), /must hold options by name/);
    const empty = configFile(t, '# nothing\n');
    assert.equal((await millrace(['serve', '--config', empty])).exitCode, 7);
  });

  it('suggests what was meant', async () => {
    for (const [argv, message] of [
      [['serv'], "millrace: unknown command 'serv' (Did you mean serve?) [MILLRACE_CONFIG_INVALID]\n"],
      [
        ['serve', '--bach', '1'],
        "millrace: unknown option '--bach' (Did you mean --batch?) [MILLRACE_CONFIG_INVALID]\n",
      ],
      [['model', 'import'], "millrace: missing required argument 'folder' [MILLRACE_CONFIG_INVALID]\n"],
    ] as const) {
      const { err, exitCode, ran } = await millrace(argv);
      assert.equal(err, message);
      assert.notEqual(exitCode, 0);
      assert.equal(ran, undefined);
    }
  });

  it('shows help with sections and defaults, without opening anything', async () => {
    const { out, exitCode, opened } = await millrace(['serve', '--help'], { MILLRACE_LOG_LEVEL: 'nonsense' });
    assert.equal(exitCode, 0);
    assert.equal(opened, undefined);
    assert.match(out, /^Options:\n {2}--model <BUNDLE> +Model bundle\n/m);
    assert.match(out, /^Serves serve as it was told\.\n\n {2}It never\n {2}rests\.$/m);
    assert.match(out, /--batch <N> +Rows of a batch \(default 32\)/);
    assert.match(out, /^ {2}--a-name-that-is-longer-than-most <N>\n {30}Stands below$/m);
    assert.match(out, /--loop +Begin again/);
    assert.match(out, /--no-create +do not create the topic when it is missing/);
    assert.doesNotMatch(out, /--no-loop|--create /);
    assert.match(out, /^HTTP:\n {2}--token/m);
    assert.match(out, /MILLRACE_TOKEN_FILE/);
    assert.match(out, /^Process:\n {2}--log-level/m);
    assert.match(out, /Examples:\n {2}millrace serve --model m/);
    assert.match(out, /--model is MILLRACE_MODEL/);
    for (const line of out.split('\n')) assert.ok(line.length <= 90, line);
  });

  it('lists the programs', async () => {
    const { out } = await millrace(['--help']);
    assert.match(out, /^ {2}serve +serve serve$/m);
    assert.match(out, /^ {2}model +import$/m);
    assert.match(out, /^ {2}config +print/m);
    assert.match((await millrace(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('millrace config', () => {
  it('prints what the program would get, secrets hidden, as a file that gives the same', async (t) => {
    const environment = { MILLRACE_TOKEN: 'hunter2', MILLRACE_BATCH: '16' };
    const { out, ran, exitCode } = await millrace(
      ['config', 'serve', '--no-create', '--model', 'a: b'],
      environment,
    );
    assert.equal(exitCode, 0);
    assert.equal(ran, undefined);
    assert.doesNotMatch(out, /hunter2/);
    assert.match(out, /^batch: 16 # MILLRACE_BATCH$/m);
    assert.match(out, /^create: false # --no-create$/m);
    assert.match(out, /^loop: false # default$/m);
    assert.match(out, /^# token: \(hidden\) # MILLRACE_TOKEN$/m);
    assert.match(out, /^log-level: info # default$/m);
    assert.equal((parse(out) as Record<string, unknown>)['model'], 'a: b');

    const again = await millrace(['serve', '--config', configFile(t, out)]);
    assert.deepEqual(again.ran?.options, {
      model: 'a: b',
      batch: 16,
      loop: false,
      create: false,
      aNameThatIsLongerThanMost: undefined,
      token: undefined,
    });
  });

  it('prints JSON with the sources', async () => {
    const { out } = await millrace(['config', 'serve', '--json'], { MILLRACE_TOKEN: 'hunter2' });
    const printed = JSON.parse(out) as Record<string, { value: unknown; source: string }>;
    assert.deepEqual(printed['token'], { value: '(hidden)', source: 'MILLRACE_TOKEN' });
    assert.deepEqual(printed['batch'], { value: 32, source: 'default' });
    assert.deepEqual(printed['model'], { value: null, source: 'not set' });
  });

  it('needs no arguments, and refuses what the program would refuse', async () => {
    assert.equal((await millrace(['config', 'model', 'import'])).exitCode, 0);
    await assert.rejects(millrace(['config', 'serve', '--batch', '0']), /--batch must be at least 1/);
    assert.match((await millrace(['config', 'serve', '--bach', '0'])).err, /Did you mean --batch/);
  });
});
