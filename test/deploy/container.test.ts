import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { programs } from '../../deploy/programs.js';
import { kafkaImage } from '../../deploy/embedded-broker/broker-command.js';
import { cacheOptions } from '../../src/config/cache-folder.js';
import { environmentName, flagName, type OptionTable } from '../../src/config/options.js';
import { packageRoot } from '../../src/config/package-root.js';
import { connectionOptions } from '../../src/stream/client/connection.js';
import { webOptions } from '../../src/web/server.js';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly deploy?: { readonly replicas: number };
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const read = (file: string) => readFileSync(join(packageRoot, 'deploy', file), 'utf8');
const compose = parse(read('compose.yaml'), { merge: true }) as Compose;
const ours = Object.entries(compose.services).filter(([, { image }]) => image === 'millrace');

/** Flags of the words behind a program that it does not have, or that lack their value. */
function wrongFlags(table: OptionTable, words: readonly string[]): string[] {
  return words.filter((word, index) => {
    if (!word.startsWith('--')) return false;
    const option = Object.entries(table).find(([name]) => `--${flagName(name)}` === word)?.[1];
    if (option === undefined) return true;
    const next = words[index + 1];
    return option.type !== 'boolean' && (next === undefined || next.startsWith('--'));
  });
}

describe('the compose file', () => {
  it('runs programs that exist with flags that exist', () => {
    assert.equal(ours.length, 4);
    for (const [name, { command }] of ours) {
      const program = programs.find((each) => each.name === command?.[0]);
      assert.ok(program, `${name} runs no program of millrace`);
      assert.deepEqual(wrongFlags(program.options, command!.slice(1)), [], name);
    }
  });

  it('sets variables that exist, and Kafka of the tested version', () => {
    const known = new Set(Object.keys(connectionOptions).map(environmentName));
    for (const [name, { environment }] of ours) {
      assert.deepEqual(
        Object.keys(environment ?? {}).filter((variable) => !known.has(variable)),
        [],
        name,
      );
    }
    assert.equal(compose.services['kafka'].image, kafkaImage);
  });

  it('names services, volumes and files that are there', () => {
    for (const [name, { depends_on: needs, volumes, build }] of ours) {
      assert.deepEqual(
        Object.keys(needs ?? {}).filter((each) => !Object.hasOwn(compose.services, each)),
        [],
        name,
      );
      assert.deepEqual(
        (volumes ?? []).filter((each) => !Object.hasOwn(compose.volumes, each.split(':')[0])),
        [],
      );
      assert.ok(existsSync(join(packageRoot, 'deploy', build!.context, build!.dockerfile)));
    }
  });

  it('has two members', () => {
    assert.equal(compose.services['member'].deploy?.replicas, 2);
  });
});

describe('the container', () => {
  const dockerfile = read('Dockerfile');

  it('copies only what is there', () => {
    const context = read('Dockerfile.dockerignore');
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      match[1].split(' '),
    );
    assert.ok(copies.length > 5);
    for (const path of copies) {
      assert.ok(existsSync(join(packageRoot, path)), path);
      assert.ok(context.includes(`!${path}\n`), `${path} is kept out of the build context`);
    }
  });

  it('runs as a user without rights, with a health check', () => {
    assert.ok(dockerfile.lastIndexOf('\nUSER node') > dockerfile.lastIndexOf('\nFROM '));
    assert.match(dockerfile, /\nHEALTHCHECK .*\n.*\/health\/live/);
  });

  it('sets variables that exist', () => {
    const known = new Set([...Object.keys(cacheOptions), ...Object.keys(webOptions)].map(environmentName));
    const used = new Set([...dockerfile.matchAll(/\bMILLRACE_[A-Z_]+/g)].map(([name]) => name));
    assert.deepEqual(
      [...used].filter((name) => !known.has(name)),
      [],
    );
  });

  it('starts a program that exists', () => {
    assert.match(dockerfile, /ENTRYPOINT \["node", "\/app\/dist\/deploy\/millrace\.js"\]/);
    assert.ok(existsSync(join(packageRoot, 'dist/deploy/millrace.js')));
  });
});
