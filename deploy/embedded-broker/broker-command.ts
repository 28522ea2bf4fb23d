import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** How a broker is started, and what is left to do once it has ended. */
export interface BrokerCommand {
  readonly command: readonly string[];
  /** A shell command; may be empty. */
  readonly atEnd: string;
}

/** Sixteen bytes in base64, as Kafka wants the id of a cluster; there is one cluster only, so it is always the same. */
const clusterId = Buffer.from('MillraceEmbedded').toString('base64url');
const heap = '-Xmx512m';

/** Somebody who may log in by SCRAM, with either of its hashes. */
export interface ScramUser {
  readonly name: string;
  readonly password: string;
}

/** The users of a broker are part of its metadata, so that they are made when its storage is formatted. */
function addScram(users: readonly ScramUser[]): string {
  return users
    .flatMap(({ name, password }) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) =>
        quote(`${mechanism}=[name=${name},password=${password}]`),
      ),
    )
    .map((user) => ` --add-scram ${user}`)
    .join('');
}

/** The broker as a Java process. The storage is formatted first, if it was not. */
export function javaCommand(
  java: string,
  jarsFolder: string,
  propertiesFile: string,
  users: readonly ScramUser[] = [],
): BrokerCommand {
  const script =
    '"$1" -XX:TieredStopAtLevel=1 -cp "$2" kafka.tools.StorageTool format --ignore-formatted --cluster-id "$4" -c "$3"' +
    `${addScram(users)} && exec` +
    ' "$1" "$5" -Dorg.slf4j.simpleLogger.showDateTime=true' +
    ' "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS" -cp "$2" kafka.Kafka "$3"';
  return {
    command: ['sh', '-c', script, 'kafka', java, join(jarsFolder, '*'), propertiesFile, clusterId, heap],
    atEnd: '',
  };
}

export const kafkaImage = 'apache/kafka:4.1.1';
/** Where the image keeps data: a folder that belongs to the user it runs as. */
export const containerDataFolder = '/var/lib/kafka/data';

/**
 * The broker in a container of the official image. It is reached on the same ports as inside; its data is a volume
 * that ends with it, or one named after the data folder if that is to be kept.
 */
export function dockerCommand(options: {
  readonly docker: string;
  readonly name: string;
  readonly propertiesFile: string;
  readonly ports: readonly number[];
  readonly keptDataFolder?: string;
  readonly users?: readonly ScramUser[];
}): BrokerCommand {
  const { docker, name, propertiesFile, ports, keptDataFolder, users = [] } = options;
  const inside = '/etc/millrace/server.properties';
  const script =
    '/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id "$1" -c "$2"' +
    addScram(users) +
    ' && exec /opt/kafka/bin/kafka-server-start.sh "$2"';
  return {
    command: [
      ...[docker, 'run', '--rm', '--name', name, '--env', `KAFKA_HEAP_OPTS=${heap}`],
      ...ports.flatMap((port) => ['--publish', `127.0.0.1:${port}:${port}`]),
      ...['--volume', `${propertiesFile}:${inside}:ro`],
      ...(keptDataFolder === undefined
        ? []
        : ['--volume', `${volumeName(keptDataFolder)}:${containerDataFolder}`]),
      ...[kafkaImage, 'sh', '-c', script, 'kafka', clusterId, inside],
    ],
    // The client that runs it may be killed, and the container would go on.
    atEnd: `${quote(docker)} rm --force --volumes ${quote(name)}`,
  };
}

/** The volume of a data folder: always the same for the same folder. */
function volumeName(folder: string): string {
  return `millrace-kafka-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
}

/** Text as one word of a shell command. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
