import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { dockerCommand, kafkaImage, quote } from '../../../deploy/embedded-broker/broker-command.js';
import { kafkaVersion } from '../../../deploy/embedded-broker/kafka-jars.js';

const container = { docker: 'docker', name: 'millrace-kafka-1', propertiesFile: '/tmp/x/server.properties' };

describe('the broker in a container', () => {
  it('is reached on loopback only, reads our configuration and has a small heap', () => {
    const { command } = dockerCommand({ ...container, ports: [9092, 9094] });
    const beforeImage = command.slice(0, command.indexOf(kafkaImage));
    assert.deepEqual(beforeImage, [
      ...['docker', 'run', '--rm', '--name', 'millrace-kafka-1', '--env', 'KAFKA_HEAP_OPTS=-Xmx512m'],
      ...['--publish', '127.0.0.1:9092:9092', '--publish', '127.0.0.1:9094:9094'],
      ...['--volume', '/tmp/x/server.properties:/etc/millrace/server.properties:ro'],
    ]);
  });

  it('formats its storage and becomes Kafka, on the same file', () => {
    const { command } = dockerCommand({ ...container, ports: [9092] });
    const [shell, flag, script, name, clusterId, file] = command.slice(command.indexOf(kafkaImage) + 1);
    assert.deepEqual([shell, flag, name, file], ['sh', '-c', 'kafka', '/etc/millrace/server.properties']);
    assert.equal(Buffer.from(clusterId, 'base64url').length, 16);
    assert.match(script, /^\S+kafka-storage\.sh format .* && exec \S+kafka-server-start\.sh "\$2"$/);
  });

  it('keeps its data in one volume for each folder', () => {
    const volumes = (keptDataFolder?: string) =>
      dockerCommand({ ...container, ports: [9092], keptDataFolder }).command.filter((word) =>
        word.endsWith(':/var/lib/kafka/data'),
      );
    assert.deepEqual(volumes(), []);
    assert.equal(volumes('/a').length, 1);
    assert.deepEqual(volumes('/a'), volumes('/a'));
    assert.notDeepEqual(volumes('/a'), volumes('/b'));
  });

  it('is removed even if the client that ran it was killed', () => {
    const { atEnd } = dockerCommand({ ...container, ports: [9092] });
    assert.equal(atEnd, "'docker' rm --force --volumes 'millrace-kafka-1'");
  });

  it('is of the same version as the jars', () => {
    assert.equal(kafkaImage, `apache/kafka:${kafkaVersion}`);
  });
});

describe('a quoted word', () => {
  it('reaches a command of the shell as it is', () => {
    const word = `it's "a" $HOME \`word\` \\ with\nlines`;
    assert.equal(execFileSync('sh', ['-c', `printf %s ${quote(word)}`], { encoding: 'utf8' }), word);
  });
});
