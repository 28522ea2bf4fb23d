import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  firstDifference,
  kafkaChecksums,
  kafkaVersion,
  parseChecksums,
  prepareKafkaJars,
  kafkaJarsFolder,
} from '../../../deploy/embedded-broker/kafka-jars.js';
import { packageRoot } from '../../../src/config/package-root.js';
import { scratchFolder } from '../../helpers/scratch.js';

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the jars of Kafka', () => {
  it('are pinned by version and checksum', () => {
    const pom = readFileSync(join(packageRoot, 'deploy/embedded-broker/pom.xml'), 'utf8');
    assert.equal(pom.split(`<version>${kafkaVersion}</version>`).length - 1, 2);
    const checksums = kafkaChecksums();
    assert.ok(checksums.has(`kafka_2.13-${kafkaVersion}.jar`));
    assert.ok(checksums.has(`kafka-tools-${kafkaVersion}.jar`));
    assert.ok(checksums.size > 50);
  });

  it('have checksums as sha256sum writes them', () => {
    const [a, b] = [sum('a'), sum('b')];
    assert.deepEqual(
      [...parseChecksums(`${a}  one.jar\n${b} *two.jar\n`)],
      [
        ['one.jar', a],
        ['two.jar', b],
      ],
    );
  });

  it('are refused when one is missing, damaged or too many', async (t) => {
    const folder = scratchFolder(t);
    const checksums = new Map([['one.jar', sum('one')]]);
    assert.equal(await firstDifference(folder, checksums), 'one.jar is missing');
    writeFileSync(join(folder, 'one.jar'), 'one');
    assert.equal(await firstDifference(folder, checksums), undefined);
    writeFileSync(join(folder, 'two.jar'), 'two');
    assert.equal(await firstDifference(folder, checksums), 'two.jar should not be there');
    assert.equal(
      await firstDifference(folder, new Map([...checksums, ['two.jar', sum('2')]])),
      'two.jar is damaged',
    );
  });

  it('cannot be mended without Maven, and that is said', async (t) => {
    const cache = scratchFolder(t);
    mkdirSync(kafkaJarsFolder(cache));
    await assert.rejects(
      prepareKafkaJars(cache, () => Promise.resolve(undefined), process.stderr),
      {
        code: 'MILLRACE_EMBEDDED_BROKER_FAILED',
        message: /needs Apache Maven/,
      },
    );
  });
});
