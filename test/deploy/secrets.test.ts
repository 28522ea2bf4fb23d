import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CommanderError } from 'commander';
import { allOptions, commandLine } from '../../deploy/command-line.js';
import { programs } from '../../deploy/programs.js';
import { compileOptions, environmentName, type Option, type OptionTable } from '../../src/config/options.js';
import type { Environment } from '../../src/config/environment.js';
import type { ProgramContext } from '../../src/config/program.js';
import { MillraceError } from '../../src/errors.js';
import { createLogger } from '../../src/telemetry/logger.js';
import { assertNoneShown, newSecret } from '../helpers/canary.js';
import { scratchFolder } from '../helpers/scratch.js';

/** Every secret of every program, with the whole table that it stands in. */
const secrets = programs.flatMap((program) => {
  const table: OptionTable = allOptions(program);
  return Object.entries(table)
    .filter(([, option]) => option.secret)
    .map(([name]) => ({ program: program.name, name, variable: environmentName(name), table }));
});

describe('every secret of every program', () => {
  it('is told by its name', () => {
    for (const program of programs) {
      for (const [name, option] of Object.entries<Option>(allOptions(program))) {
        const isSecret = /password|token|secret|auth$|credential|passphrase/i.test(name);
        assert.equal(option.secret ?? false, isSecret, `${name} of ${program.name}`);
      }
    }
  });

  it('is one of these', () => {
    const names = [...new Set(secrets.map(({ program, name }) => `${program}: ${name}`))].sort();
    assert.deepEqual(
      names.filter((name) => /^(produce|serve):/.test(name)),
      [
        'produce: registryAuth',
        'produce: saslPassword',
        'serve: httpToken',
        'serve: registryAuth',
        'serve: saslPassword',
      ],
    );
  });

  for (const { program, name, variable, table } of secrets) {
    it(`may be a file: ${name} of ${program}`, (t) => {
      const path = (content: string | Buffer, file = 'secret') => {
        const full = join(scratchFolder(t), file);
        writeFileSync(full, content);
        return full;
      };
      const given = (file: string) =>
        compileOptions(table, { environment: { [`${variable}_FILE`]: file } })[name];
      for (const content of ['hunter2', 'hunter2\n', 'hunter2\r\n']) {
        assert.equal(given(path(content)), 'hunter2');
      }
      assert.equal(given(path(' hunter 2 \n')), ' hunter 2 ');

      const folder = join(scratchFolder(t), 'folder');
      mkdirSync(folder);
      const unusable: [file: string, message: RegExp][] = [
        ['/nowhere/at/all', /^MILLRACE_\w+_FILE cannot be read: ENOENT.*'\/nowhere\/at\/all'\.$/],
        [folder, /cannot be read: EISDIR/],
        ['/dev/zero', /cannot be read: \/dev\/zero has more than 65536 bytes\.$/],
        [path('hunter2'.repeat(20_000)), /cannot be read: .* has more than 65536 bytes\.$/],
        [path(''), /, which is empty; write the secret into it\.$/],
        [path('\n'), /, which is empty/],
        [path('hunter2\nhunter3\n'), /, which has several lines; keep the one with the secret\.$/],
      ];
      for (const [file, message] of unusable) {
        assert.throws(
          () => given(file),
          (error: Error & { code?: string }) => {
            assert.equal(error.code, 'MILLRACE_CONFIG_INVALID');
            assert.match(error.message, message);
            assert.match(error.message, new RegExp(`^${variable}_FILE `));
            assert.doesNotMatch(error.message, /hunter|\n/);
            return true;
          },
        );
      }
      const both = { [variable]: 'hunter2', [`${variable}_FILE`]: path('hunter3') };
      assert.throws(() => compileOptions(table, { environment: both }), {
        message: `Set either ${variable} or ${variable}_FILE, not both.`,
      });
    });
  }

  it('may come through a pipe', (t) => {
    const pipe = join(scratchFolder(t), 'pipe');
    const [{ table, name, variable }] = secrets;
    execFileSync('mkfifo', [pipe]);
    // The writer waits for a reader, and the other way round.
    execFileSync('sh', ['-c', 'echo hunter2 > "$0" &', pipe], { stdio: 'ignore' });
    assert.equal(compileOptions(table, { environment: { [`${variable}_FILE`]: pipe } })[name], 'hunter2');
  });
});

describe('a secret that was given', () => {
  const secrets = { sasl: newSecret('sasl'), registry: newSecret('registry'), token: newSecret('token') };
  const environment = {
    MILLRACE_SASL_PASSWORD: secrets.sasl,
    MILLRACE_REGISTRY_AUTH: `registrar:${secrets.registry}`,
    MILLRACE_HTTP_TOKEN: secrets.token,
  };

  /** What a command line prints, with the sentence that it fails with. */
  async function printed(args: readonly string[], given: Environment = environment): Promise<string> {
    let text = '';
    const output = { write: (more: string) => (text += more) };
    const logger = createLogger({ name: 'test', level: 'trace', destination: { write: output.write } });
    const root = commandLine(
      programs,
      {
        environment: given,
        stdout: output,
        stderr: output,
        openContext: () => ({ logger, shutdown: new AbortController().signal }) as unknown as ProgramContext,
      },
      () => {},
    );
    await root.parseAsync(['node', 'millrace', ...args]).catch((error: unknown) => {
      if (error instanceof MillraceError) text += `${error.message}${JSON.stringify(error)}`;
      else assert.ok(error instanceof CommanderError, String(error));
    });
    assertNoneShown(text, Object.values(secrets), args.join(' '));
    return text;
  }

  it('is not shown by the help and the configuration of any program', async () => {
    for (const { name } of programs) {
      const words = name.split(' ');
      assert.match(await printed([...words, '--help']), /^Usage: /);
      assert.match(await printed(['config', ...words]), /^# millrace /);
      assert.match(await printed(['config', ...words, '--json']), /^\{/);
    }
    const registry = `http://registrar:${secrets.registry}@host`;
    assert.match(
      await printed(['config', 'serve', '--registry', registry]),
      /^registry: http:\/\/\(hidden\)@host # --registry$/m,
    );
  });

  it('is not shown by a command line or a file with a mistake in it', async (t) => {
    const folder = scratchFolder(t);
    const config = (text: string) => {
      const path = join(folder, `${randomUUID()}.yaml`);
      writeFileSync(path, text);
      return ['--config', path];
    };
    const mistakes: (readonly string[])[] = [
      [`--sasl-pasword=${secrets.sasl}`],
      ['--brokers', `alice:${secrets.sasl}@kafka:9092`],
      ['--registry', `http://registrar:${secrets.registry}@host`],
      ['--registry', `ftp://registrar:${secrets.registry}@host`],
      config(`sasl-password: "${secrets.sasl}\n`),
      config(`sasl-password: *${secrets.sasl}\n`),
      config(`sasl-password: !${secrets.sasl} x\n`),
      config(`sasl-password: a: ${secrets.sasl}\n`),
      config(`sasl-password: [${secrets.sasl}]\n`),
      config(`sasl-password:\n  ${secrets.sasl}: x\n`),
      config(`- ${secrets.sasl}\n`),
      config(secrets.sasl),
    ];
    for (const mistake of mistakes) {
      const text = await printed(['serve', '--model', 'm', ...mistake], {});
      assert.match(text, /\[MILLRACE_CONFIG_INVALID\]|"code":"MILLRACE_CONFIG_INVALID"/, mistake.join(' '));
    }
  });
});
